import type { CreationSite, HooksSnapshot } from '../inspection.js';
import type { CreationStack } from './creation-stack.js';
import { CreationSites, NO_SITE } from './creation-sites.js';
import { LiveRecords } from './live-records.js';
import { sourceFrames } from './source-frames.js';
import { StackSampler } from './stack-sampler.js';

/** Sites that a snapshot tells of. */
const MAX_TOLD = 50;

/** Short-lived beyond interest: the event loop has done with it within a turn. */
const FLEETING = new Set(['TickObject', 'Immediate', 'Microtask']);

/** Keeps account of creations and ends, as it is told of them. */
export class CreationLog {
  readonly #now: () => number;
  readonly #stack: () => CreationStack | undefined;
  readonly #sites = new CreationSites();
  readonly #records: LiveRecords;
  readonly #ofPromises: StackSampler;
  /** A flood of promises shall not cost a server or a timer its stack. */
  readonly #ofOthers: StackSampler;
  #stacks = 0;

  /**
   * @param now ms
   * @param stack of the creation that is just being told
   */
  constructor(now: () => number, stack: () => CreationStack | undefined) {
    this.#now = now;
    this.#stack = stack;
    this.#records = new LiveRecords((site) => this.#sites.leave(site));
    this.#ofPromises = new StackSampler(now());
    this.#ofOthers = new StackSampler(now());
  }

  /** @param id rises from one creation to the next */
  created(id: number, type: string, resource: object): void {
    if (FLEETING.has(type)) return;
    const now = this.#now();
    if (type === 'PROMISE') this.#records.addPromise(id, resource, now, this.#site(this.#ofPromises, now));
    else this.#records.addOther(id, type, resource, now, this.#site(this.#ofOthers, now));
  }

  settled(id: number): void {
    this.#records.end(id);
  }

  snapshot(): HooksSnapshot {
    const now = this.#now();
    const live = this.#records.live();
    const groups = new Map<string, { site: CreationSite; ageSum: number }>();
    for (const { type, site, createdAt } of live) {
      const key = `${site} ${type}`;
      let group = groups.get(key);
      if (group === undefined) {
        const stack = site === NO_SITE ? null : sourceFrames(this.#sites.stackOf(site));
        groups.set(key, (group = { site: { type, stack, count: 0, oldestAgeMs: 0 }, ageSum: 0 }));
      }
      const ageMs = now - createdAt;
      group.ageSum += ageMs;
      group.site.count++;
      group.site.oldestAgeMs = Math.max(group.site.oldestAgeMs, ageMs);
    }
    const byAge = [...groups.values()].sort((a, b) => b.ageSum - a.ageSum).map(({ site }) => site);
    const { recorded, dropped } = this.#records;
    return {
      live: live.length,
      recorded,
      dropped,
      sampledOneIn: Math.max(1, recorded / Math.max(1, this.#stacks)),
      sites: byAge.slice(0, MAX_TOLD),
      untold: byAge.slice(MAX_TOLD).reduce((sum, { count }) => sum + count, 0),
    };
  }

  /** Where the resource is made that is just being told. */
  #site(sampler: StackSampler, start: number): number {
    if (!sampler.wants(start)) return NO_SITE;
    const stack = this.#stack();
    if (stack !== undefined) this.#stacks++;
    const site = stack === undefined ? NO_SITE : this.#sites.use(stack.key, stack.frames);
    sampler.took(start, this.#now());
    return site;
  }
}
