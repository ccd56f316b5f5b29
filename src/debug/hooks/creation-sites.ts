import type { Frame } from '../inspection.js';

/** What has no stack, or none that was kept. */
export const NO_SITE = 0;

/** Sites that are kept; one with a few frames takes about 1 KB. */
export const MAX_SITES = 2000;

interface Site {
  key: string;
  stack: Frame[];
}

/** Where resources were made, each place once. A bounded table: a site that nothing live refers to makes room for another. */
export class CreationSites {
  readonly #sites: (Site | undefined)[] = [undefined];
  readonly #numbers = new Map<string, number>();
  readonly #users = new Int32Array(MAX_SITES + 1);
  #free: number[] = [];

  /**
   * Counts one more user of a site.
   * @param key the same for the same stack
   * @param stack called for a new site only
   * @returns the number of the site; `NO_SITE` where there is no room
   */
  use(key: string, stack: () => Frame[]): number {
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#room();
      if (number === NO_SITE) return NO_SITE;
      this.#sites[number] = { key, stack: stack() };
      this.#numbers.set(key, number);
    }
    this.#users[number]!++;
    return number;
  }

  /** A user of the site is gone. */
  leave(number: number): void {
    if (number !== NO_SITE) this.#users[number]!--;
  }

  /** @param number of a site in use */
  stackOf(number: number): Frame[] {
    return this.#sites[number]!.stack;
  }

  #room(): number {
    if (this.#sites.length <= MAX_SITES) return this.#sites.push(undefined) - 1;
    if (this.#free.length === 0) this.#clearUnused();
    return this.#free.pop() ?? NO_SITE;
  }

  #clearUnused(): void {
    for (let number = 1; number <= MAX_SITES; number++) {
      if (this.#users[number]! > 0) continue;
      this.#numbers.delete(this.#sites[number]!.key);
      this.#free.push(number);
    }
  }
}
