/** Tasks that come without an id are called `#<seq>`; no given id starts so. */
export function generatedId(seq: number): string {
  return `#${seq}`;
}

/** What a task is called, outside of the queue. */
export function idOf({ id, seq }: { id: string | undefined; seq: number }): string {
  return id ?? generatedId(seq);
}

/** The number in an id that the queue made, `undefined` for an id that was given to it. */
export function generatedSeq(id: string): number | undefined {
  return /^#[1-9]\d*$/.test(id) ? Number(id.slice(1)) : undefined;
}
