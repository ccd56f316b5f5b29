/** Until when a question waits for its answer, and what is done about it then. */
interface Deadline<Answer> {
  ms: number;
  late(question: Question<Answer>): void;
}

/** Something that a thread is asked, one at a time: who asks again meanwhile waits for the same answer. */
export class Question<Answer> {
  readonly #send: () => void;
  readonly #deadline: Deadline<Answer> | undefined;
  #open:
    | {
        answer: Promise<Answer>;
        resolve(answer: Answer): void;
        reject(why: Error): void;
        timer: NodeJS.Timeout | undefined;
      }
    | undefined;

  /** @param deadline default: it waits until it is answered, or the thread is gone */
  constructor(send: () => void, deadline?: Deadline<Answer>) {
    this.#send = send;
    this.#deadline = deadline;
  }

  ask(): Promise<Answer> {
    if (this.#open !== undefined) return this.#open.answer;
    let resolve!: (answer: Answer) => void;
    let reject!: (why: Error) => void;
    const answer = new Promise<Answer>((resolved, rejected) => {
      resolve = resolved;
      reject = rejected;
    });
    const deadline = this.#deadline;
    const timer = deadline && setTimeout(() => deadline.late(this), deadline.ms);
    this.#open = { answer, resolve, reject, timer };
    this.#send();
    return answer;
  }

  /** Does nothing where nobody waits. */
  answer(answer: Answer): void {
    this.#close()?.resolve(answer);
  }

  /** There will be no answer. */
  fail(why: Error): void {
    this.#close()?.reject(why);
  }

  #close() {
    const open = this.#open;
    this.#open = undefined;
    clearTimeout(open?.timer);
    return open;
  }
}
