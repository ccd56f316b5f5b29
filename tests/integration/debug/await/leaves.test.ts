import { describe, expect } from 'vitest';
import { findingsOf, fitted, linesOf, treesOf } from '../../../support/await-fixtures.js';
import { onEveryNode } from '../../../support/node-versions.js';

/** Of `fixtures/awaits/leaves.mjs`. */
const LEAVES = linesOf(`
  timerPromise
    - timer Timeout 10000000ms
  timerCallback
    - timer Timeout 10000000ms
  timerArrow
    - timer Timeout 10000000ms
  timerPromisified
    - timer Timeout 10000000ms
  timerWithSignal
    - then > timer Timeout 10000000ms
  schedulerWait
    - timer Timeout 10000000ms
  interval
    - timer Timeout 10000000ms
  abortTimeout
    - timer Timeout 10000000ms
  abortAny
    - adopted > event {EventTarget|AbortSignal} "abort"
  socketData
    - adopted > socket Socket "data"
  socketIterated
    - {|then > }socket Socket "readable"
  socketCallback
    - socket Socket "data"
  socketDataOrClose
    - socket Socket "data"
  socketDrain
    - socket Socket
  reply
    - socket Socket "data"
  httpResponse
    - adopted > http request ClientRequest "response" GET http://127.0.0.1:port/slow
  httpResponseCallback
    - http request ClientRequest "response" GET http://127.0.0.1:port/
  fetching
    - then > http request Fetch POST http://127.0.0.1:port/slow
  fetchingTwo
    - Promise.all > then > http request Fetch x2 GET http://127.0.0.1:port/one
  serverClose
    - server Server "close"
  serverConnection
    - adopted > server Server "connection"
  datagram
    - adopted > socket Socket "message"
  fileRead
    - then > file operation FSReqPromise
  fileReadWhole
    - {then > then > file operation FSReqPromise|file operation ReadFileJob}
  fileCallback
    - file operation FSReqCallback
  fileWatch
    - file operation FSEvent
  childExit
    - adopted > child process ChildProcess "exit"
  childPromisified
    - child process ChildProcess "close"
  childOutput
    - adopted > socket Socket "data"
  workerMessage
    - adopted > worker thread Worker "message"
  workerCallback
    - worker thread Worker "message"
  messagePort
    - adopted > message port MessagePort "message"
  messagePortHandler
    - message port MessagePort "message"
  broadcast
    - message port BroadcastChannel "message"
  readableIterated
    - {|then > }stream Readable "readable"
  streamPipeline
    - stream {PassThrough|Writable} "close"
  streamFinished
    - stream PassThrough "close"
  lines
    - stream Interface "line"
  question
    - stream Interface
  webReader
    - stream ReadableStreamDefaultReader
  webIterated
    - adopted > stream ReadableStreamDefaultReader
  webWriter
    - stream WritableStreamDefaultWriter
  emitterOnce
    - adopted > event EventEmitter "ready"
  emitterOn
    - event EventEmitter "item"
  emitterCallback
    - event Bus "drained"
  emitterSymbol
    - adopted > event Bus "Symbol(quiet)"
  eventTarget
    - adopted > event EventTarget "change"
  eventTargetCallback
    - event EventTarget "change"
  processEvent
    - event process "SIGUSR2"
  atomicsWait
    - lock by Atomics.waitAsync
`);

/** Of `fixtures/awaits/fleeting.mjs`. */
const FLEETING = linesOf(`
  immediate
    - immediate Immediate
  immediatePromise
    - immediate Immediate
  nameLookup
    - name lookup GetAddrInfoReqWrap
  cryptoJob
    - promise held as ondone by ScryptJob
  workerEnd
    - worker thread Worker "exit"
  awaitsWhatGoesOn
    inner
      - microtask
  goesOn
    - microtask
  goesOnAfterFailure
    - microtask
  failsNext
    - microtask
  iteratesWhatGoesOn
    items
      - microtask
`);

describe('what a suspended function waits for outside of JavaScript', async () => {
  await onEveryNode('is told by its kind, its class, and the event', async (node) => {
    const leaves = treesOf('leaves', await findingsOf('leaves', node));
    expect(fitted(leaves, LEAVES)).toEqual(LEAVES);
  });

  await onEveryNode('is told also of what is over soon', async (node) => {
    expect(treesOf('fleeting', await findingsOf('fleeting', node))).toEqual(FLEETING);
  });
});
