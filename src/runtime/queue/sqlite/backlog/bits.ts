/** Numbers in one chunk, a multiple of 32: 4 KiB. */
const CHUNK = 1 << 15;
const WORDS = CHUNK / 32;

interface Chunk {
  count: number;
  words: Uint32Array;
}

/** A set of numbers that come densely and in order, a bit each: ten million of them take 1.25 MB. */
export class Bits {
  readonly #chunks = new Map<number, Chunk>();
  #size = 0;
  /** None is smaller. */
  #from = 0;
  /** The chunk that was used last: the next call most likely wants it again. */
  #lastNumber = -1;
  #last: Chunk | undefined;

  get size(): number {
    return this.#size;
  }

  has(number: number): boolean {
    const chunk = this.#chunk(Math.floor(number / CHUNK));
    return chunk !== undefined && (chunk.words[(number % CHUNK) >>> 5]! & (1 << (number & 31))) !== 0;
  }

  /** @returns whether it was not there */
  add(number: number): boolean {
    const at = Math.floor(number / CHUNK);
    let chunk = this.#chunk(at);
    if (chunk === undefined) {
      chunk = { count: 0, words: new Uint32Array(WORDS) };
      this.#chunks.set(at, chunk);
      this.#last = chunk;
    }
    const word = (number % CHUNK) >>> 5;
    const bit = 1 << (number & 31);
    if ((chunk.words[word]! & bit) !== 0) return false;
    chunk.words[word]! |= bit;
    chunk.count++;
    this.#size++;
    if (number < this.#from) this.#from = number;
    return true;
  }

  /** All from `first` to `last`, of which none is there yet; word by word, as there may be millions. */
  addRange(first: number, last: number): void {
    for (let number = first; number <= last;) {
      const isWordLeft = number % 32 === 0 && number + 31 <= last;
      if (!isWordLeft) {
        this.add(number++);
        continue;
      }
      this.add(number);
      const chunk = this.#last!;
      chunk.words[(number % CHUNK) >>> 5] = 0xffff_ffff;
      chunk.count += 31;
      this.#size += 31;
      number += 32;
    }
  }

  /** A set of its own, of those from `first` on. */
  from(first: number): Bits {
    const copy = new Bits();
    for (const [at, { words, count }] of this.#chunks) {
      if ((at + 1) * CHUNK <= first) continue;
      copy.#chunks.set(at, { words: words.slice(), count });
      copy.#size += count;
    }
    for (let each = copy.first(); each !== undefined && each < first; each = copy.next(each + 1)) copy.delete(each);
    return copy;
  }

  /** @returns whether it was there */
  delete(number: number): boolean {
    const at = Math.floor(number / CHUNK);
    const chunk = this.#chunk(at);
    const word = (number % CHUNK) >>> 5;
    const bit = 1 << (number & 31);
    if (chunk === undefined || (chunk.words[word]! & bit) === 0) return false;
    chunk.words[word]! &= ~bit;
    this.#size--;
    if (--chunk.count === 0) {
      this.#chunks.delete(at);
      this.#last = undefined;
      this.#lastNumber = -1;
    }
    return true;
  }

  clear(): void {
    this.#chunks.clear();
    this.#size = 0;
    this.#from = 0;
    this.#last = undefined;
    this.#lastNumber = -1;
  }

  /** The smallest one; `undefined`: it is empty. */
  first(): number | undefined {
    const first = this.next(this.#from);
    if (first !== undefined) this.#from = first;
    return first;
  }

  /** The smallest one from `number` on. */
  next(number: number): number | undefined {
    if (this.#size === 0) return undefined;
    const at = Math.floor(number / CHUNK);
    const chunk = this.#chunk(at);
    const found = chunk && within(chunk, at, number % CHUNK);
    if (found !== undefined) return found;
    let later = Infinity;
    for (const each of this.#chunks.keys()) if (each > at && each < later) later = each;
    return later === Infinity ? undefined : within(this.#chunks.get(later)!, later, 0);
  }

  #chunk(at: number): Chunk | undefined {
    if (at !== this.#lastNumber) {
      this.#last = this.#chunks.get(at);
      this.#lastNumber = at;
    }
    return this.#last;
  }
}

/** The first one in a chunk, from an offset on. */
function within({ words }: Chunk, at: number, offset: number): number | undefined {
  let word = offset >>> 5;
  let bits = (words[word]! & (-1 << (offset & 31))) >>> 0;
  while (bits === 0) {
    if (++word === WORDS) return undefined;
    bits = words[word]!;
  }
  return at * CHUNK + word * 32 + (31 - Math.clz32(bits & -bits));
}
