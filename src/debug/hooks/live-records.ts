import { NO_SITE } from './creation-sites.js';

/** A resource that async_hooks has told of, and that has not ended. */
export interface LiveRecord {
  readonly type: string;
  /** In ms. */
  readonly createdAt: number;
  readonly site: number;
}

interface OldRecord extends LiveRecord {
  readonly resource: WeakRef<object>;
}

/** Promises that are held while they are young; a power of two. */
const YOUNG = 4096;

/** Records of what has outlived the young ones. With its WeakRef one takes about 150 bytes. */
const MAX_OLD = 100_000;

/**
 * What is live, in bounded memory.
 *
 * Nearly all promises settle within a few thousand further creations. Until
 * then they stand in plain arrays, and are held: a WeakRef for each would cost a
 * third of the speed. A pending one that has to make room becomes an old record, which
 * holds its promise weakly, so what can never settle is collected as ever.
 *
 * There is no `destroy` hook: to know when a promise is collected, Node would
 * give each a native companion, and a loop of awaits ran at 0.4 of the speed.
 */
export class LiveRecords {
  /** Creations told of, in all. */
  recorded = 0;
  /** Creations that are no longer followed as there was no room, in all. */
  dropped = 0;
  readonly #onEnd: (site: number) => void;
  readonly #maxOld: number;
  /** Async ids, at their remainder of `YOUNG`; 0: free. They rise one by one, so each place is that of the latest. */
  readonly #youngIds = new Float64Array(YOUNG);
  readonly #youngCreatedAt = new Float64Array(YOUNG);
  readonly #youngSites = new Int32Array(YOUNG);
  readonly #young: (object | undefined)[] = Array.from({ length: YOUNG });
  readonly #old = new Map<number, OldRecord>();
  /** What must still be dropped before it is worth to look again whether anything has ended. */
  #dropsToSweep = 0;

  /** @param onEnd told the site of each record that ends or is dropped */
  constructor(onEnd: (site: number) => void, maxOld = MAX_OLD) {
    this.#onEnd = onEnd;
    this.#maxOld = maxOld;
  }

  /** @param createdAt ms */
  addPromise(id: number, promise: object, createdAt: number, site: number): void {
    this.recorded++;
    const place = id & (YOUNG - 1);
    if (this.#youngIds[place] !== 0) this.#grow(place);
    this.#youngIds[place] = id;
    this.#youngCreatedAt[place] = createdAt;
    this.#youngSites[place] = site;
    this.#young[place] = promise;
  }

  /** What is no promise is never held: it may be large, and nothing tells when it ends. */
  addOther(id: number, type: string, resource: object, createdAt: number, site: number): void {
    this.recorded++;
    this.#addOld(id, type, resource, createdAt, site);
  }

  /** A promise was resolved or rejected. */
  end(id: number): void {
    const place = id & (YOUNG - 1);
    if (this.#youngIds[place] === id) {
      this.#free(place);
      this.#leave(this.#youngSites[place]!);
    } else if (this.#old.size > 0) this.#endOld(id);
  }

  /** Those that live now. From here on all are held weakly. */
  live(): LiveRecord[] {
    for (let place = 0; place < YOUNG; place++) if (this.#youngIds[place] !== 0) this.#grow(place);
    this.#sweep();
    return [...this.#old.values()];
  }

  /** A young promise becomes an old one. */
  #grow(place: number): void {
    const [id, promise] = [this.#youngIds[place]!, this.#young[place]!];
    this.#free(place);
    this.#addOld(id, 'PROMISE', promise, this.#youngCreatedAt[place]!, this.#youngSites[place]!);
  }

  #free(place: number): void {
    this.#youngIds[place] = 0;
    this.#young[place] = undefined;
  }

  #addOld(id: number, type: string, resource: object, createdAt: number, site: number): void {
    if (this.#old.size >= this.#maxOld && --this.#dropsToSweep < 0) {
      this.#sweep();
      // A sweep looks at all: with a tenth of as many drops between two, its cost is lost among theirs.
      this.#dropsToSweep = this.#maxOld / 10;
    }
    if (this.#old.size < this.#maxOld) this.#old.set(id, { type, createdAt, site, resource: new WeakRef(resource) });
    else {
      // Not the oldest: who looks for what is stuck, looks for those.
      this.dropped++;
      this.#leave(site);
    }
  }

  #sweep(): void {
    for (const [id, { resource }] of this.#old) {
      const object = resource.deref();
      if (object === undefined || hasEnded(object, id)) this.#endOld(id);
    }
  }

  #endOld(id: number): void {
    const record = this.#old.get(id);
    if (record === undefined) return;
    this.#old.delete(id);
    this.#leave(record.site);
  }

  #leave(site: number): void {
    if (site !== NO_SITE) this.#onEnd(site);
  }
}

/**
 * Whether a resource of Node has ended. A timer tells; what has a native half
 * gives its async id, and another number (-1) once that is gone. Promises have
 * neither, and are told of by their hook.
 */
function hasEnded(resource: { ['_destroyed']?: unknown; getAsyncId?: unknown }, id: number): boolean {
  try {
    if (resource['_destroyed'] === true) return true;
    return typeof resource.getAsyncId === 'function' && resource.getAsyncId() !== id;
  } catch {
    // A resource may be anybody's object.
    return false;
  }
}
