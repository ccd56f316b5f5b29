/** The thread's end of its line to the main thread. */
import { workerData } from 'node:worker_threads';
import { atomicsLoad, atomicsWait, receiveMessageOnPort } from './own.js';
import type { ThreadData, ThreadMessage, ThreadRequest } from './protocol.js';
import { receivedRequest, sentMessage, type SentMessage, type SentRequest } from './wire.js';

const given = workerData as Partial<ThreadData>;

/** What this thread was given when it was made. */
export const threadData = { ...given } as ThreadData;

// It is there for every handler to read, and none shall write to the board or the port.
for (const key of Object.keys(given)) delete given[key as keyof ThreadData];

const { port } = threadData;
const postTo: (message: SentMessage) => void = port.postMessage.bind(port);
const requests = new Int32Array(threadData.requests);

/** Tells the main thread something. */
export function post(message: ThreadMessage): void {
  postTo(sentMessage(message));
}

let accept: ((sent: SentRequest) => void) | undefined;
/** Requests that are worked on. */
let open = 0;
let seen = 0;

/** From now on, `listener` gets all requests. */
export function listen(listener: (request: ThreadRequest) => void): void {
  accept = (sent) => listener(receivedRequest(sent));
  port.on('message', accept);
  waitWhileIdle();
}

/** A request is worked on: the event loop has to turn until `rest`. */
export function work(): void {
  open++;
}

/** The end of what `work` began. To be called last of all: a thread without work blocks in here. */
export function rest(): void {
  open--;
  waitWhileIdle();
}

/**
 * A thread without work blocks until it is sent something: it is woken, and
 * has read its message, in a third of the time that the event loop takes. What
 * tasks left behind stands still meanwhile.
 */
function waitWhileIdle(): void {
  while (open === 0) {
    atomicsWait(requests, 0, seen);
    // First the number, then the messages: whatever comes in between is found, at the latest by the next round.
    seen = atomicsLoad(requests, 0);
    for (;;) {
      const next = receiveMessageOnPort(port);
      if (next === undefined) break;
      accept!(next.message as SentRequest);
    }
  }
}
