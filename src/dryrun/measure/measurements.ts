import type { Outcome } from '../../runtime/task/task.js';
import { now, wallTime } from '../../runtime/thread/board.js';
import { eventIdOf, type Arrival } from '../plan/arrivals.js';
import { Durations } from './durations.js';
import type { Plan } from '../plan/plan.js';
import { TimelineRecorder } from './timeline.js';

/**
 * What a dry run sees of its events on their way. Every time is taken against
 * the planned instant of the arrival, also where the generator itself was late:
 * else a system that is slow would be asked less often how slow it is.
 */
export class Measurements {
  /** Planned instant to submission. */
  readonly arrivalLag = new Durations();
  /** Planned instant to the start of the handler, of the last attempt. */
  readonly startLag = new Durations();
  /** Planned instant to the durable outcome. */
  readonly latency = new Durations();
  readonly timeline: TimelineRecorder;
  /** Events that were submitted, by type. */
  readonly byType: Record<string, number>;
  /** Of the plan, on the clock of `now`. */
  #start = now();
  /** Planned instants of events that have no outcome yet, by event id. */
  readonly #underWay = new Map<string, number>();
  #submitted = 0;
  #ended = 0;
  #lastEndMs = 0;
  #arrivalsMs: number | undefined;

  constructor(plan: Plan) {
    this.timeline = new TimelineRecorder(plan);
    this.byType = Object.fromEntries(Object.keys(plan.events).map((type) => [type, 0]));
  }

  get submitted(): number {
    return this.#submitted;
  }

  get ended(): number {
    return this.#ended;
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return now() - this.#start;
  }

  /** Milliseconds from the start to the last outcome. */
  get lastEndMs(): number {
    return this.#lastEndMs;
  }

  /** Milliseconds from the start to the end of the arrivals, if that was seen. */
  get arrivalsMs(): number {
    return this.#arrivalsMs ?? this.elapsedMs;
  }

  /** No more events will arrive. */
  arrivalsEnded(): void {
    this.#arrivalsMs = this.elapsedMs;
  }

  /** The planned instants are counted from now on. */
  begin(): void {
    this.#start = now();
  }

  /** Events are handed to the executor now. */
  arrived(arrivals: readonly Arrival[]): void {
    const actual = this.elapsedMs;
    for (const arrival of arrivals) {
      this.#submitted++;
      this.byType[arrival.type]!++;
      this.#underWay.set(eventIdOf(arrival), arrival.at);
      this.arrivalLag.add(actual - arrival.at);
      this.timeline.add(arrival.at, actual);
    }
  }

  /** An outcome is durable now. */
  settled({ id, startedAt }: Pick<Outcome, 'id' | 'startedAt'>): void {
    const planned = this.#underWay.get(id);
    if (planned === undefined) return;
    this.#underWay.delete(id);
    this.#ended++;
    this.#lastEndMs = this.elapsedMs;
    this.latency.add(this.#lastEndMs - planned);
    if (startedAt !== null) this.startLag.add(startedAt - wallTime(this.#start + planned));
  }
}
