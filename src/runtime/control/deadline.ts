/**
 * Until when whoever asks waits for the answer, as `monotonicMs` counts.
 * A process that was stopped finds the requests of that time when it goes on:
 * nobody expects them to be carried out any more.
 */
export const DEADLINE_HEADER = 'holdfast-deadline';
