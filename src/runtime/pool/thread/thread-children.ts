import { endChildren, type Group } from '../../processes/children.js';
import type { Reaper } from '../../processes/reaper.js';
import type { ChildEvent, ChildSettings } from '../../thread/protocol.js';

/** What the tasks of one thread have started, as the main thread knows it. */
export class ThreadChildren {
  /** For the thread. */
  readonly settings: ChildSettings;
  readonly #reaper: Reaper;
  /** Process groups of running tasks, by their id. */
  readonly #groups = new Map<number, Group>();
  #hasHadAny = false;

  constructor(reaper: Reaper, graceMs: number) {
    this.#reaper = reaper;
    this.settings = { mark: reaper.newMark(), graceMs, reaper: reaper.state };
  }

  onEvent(event: ChildEvent): void {
    switch (event.type) {
      case 'reaper':
        this.#reaper.start();
        break;
      case 'child':
        this.#hasHadAny = true;
        this.#groups.set(event.group.id, event.group);
        this.#reaper.watch(event.group);
        break;
      case 'child-gone':
        this.#groups.delete(event.group);
        this.#reaper.forget(event.group);
        break;
    }
  }

  /** Once the thread is gone: else another attempt at its tasks would run beside them. */
  async end(): Promise<void> {
    if (!this.#hasHadAny) return;
    const { mark, graceMs } = this.settings;
    await endChildren({ mark, groups: [...this.#groups.values()] }, graceMs / 2);
    for (const id of this.#groups.keys()) this.#reaper.forget(id);
  }
}
