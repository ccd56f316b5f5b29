/**
 * Reads a stream to its end, and gives what reads it again from its start, as often as it is called: a task file is
 * read twice, and a pipe gives its bytes once. All of it is held in memory.
 */
export async function replayed(stream: AsyncIterable<Uint8Array>): Promise<() => AsyncGenerator<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return async function* () {
    yield* chunks;
  };
}
