import type { Statement } from 'better-sqlite3';

/** Texts that tasks share, and the keys that stand for them in the file. */
export class Keys {
  readonly #keyOf: Statement<[text: string], number>;
  #keys = new Map<string, number>();
  #texts = new Map<number, string>();

  /** @param keyOf gives the key, and makes one where there is none */
  constructor(keyOf: Statement<[text: string], number>) {
    this.#keyOf = keyOf;
  }

  key(text: string): number {
    let key = this.#keys.get(text);
    if (key === undefined) {
      key = this.#keyOf.get(text)!;
      this.#keys.set(text, key);
    }
    return key;
  }

  /** @param read gives the text of a key that is in the file */
  text(key: number, read: (key: number) => string | undefined): string {
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = read(key) ?? '';
      this.#texts.set(key, text);
    }
    return text;
  }

  /** What was written since the last commit is not in the file. */
  forget(): void {
    this.#keys = new Map();
    this.#texts = new Map();
  }
}
