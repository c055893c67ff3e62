/**
 * Decides whether there is room for more. It reads the backlog of the queue's state at most once a second and adds what this
 * process has accepted since then, so that it notices a burst between two readings.
 */
import type { Priority } from '../shared/contract/keys.js';
import { settlesWithin } from '../shared/runtime/wait.js';
import type { QueueState } from '../shared/state/queue-state.js';

const FRESH_MS = 1_000;
/** Longest wait for a reading; the next step reports a Redis that does not answer. */
const READ_MS = 400;

export class Backlog {
  #queued = 0;
  #acceptedSince = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(
    private readonly readState: () => Promise<Pick<QueueState, 'backlogAssociations'>>,
    /** associations in the backlog */
    private readonly limit: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The last estimate, for metrics. */
  get estimate(): number {
    return this.#queued + this.#acceptedSince;
  }

  /** @returns true if another request may be accepted. If Redis is unreachable: true, because the next step reports that. */
  hasRoom(priority: Priority = 'normal'): boolean | Promise<boolean> {
    // an import must not shut out requests of high priority
    const limit = priority === 'high' ? 2 * this.limit : this.limit;
    if (this.now() - this.#readAt >= FRESH_MS) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      // only a doubtful case waits for the reading; far below the limit no request waits
      if (this.#readAt < 0 || this.estimate * 2 >= limit)
        return settlesWithin(this.#reading, READ_MS).then(() => this.estimate < limit);
    }
    return this.estimate < limit;
  }

  accepted(associations: number): void {
    this.#acceptedSince += associations;
  }

  async #read(): Promise<void> {
    const before = this.#acceptedSince;
    try {
      this.#queued = (await this.readState()).backlogAssociations;
      this.#acceptedSince -= before;
      this.#readAt = this.now();
    } catch {
      // the note that follows reports the error
    }
  }
}
