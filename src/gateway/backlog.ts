/**
 * Is there room for more? The backlog is that of the queue's state, which is read at most once a second. What this process
 * has accepted since then is added, so that a burst between two readings is seen.
 */
import type { Priority } from '../shared/contract/keys.js';
import { settlesWithin } from '../shared/runtime/wait.js';
import type { QueueState } from '../shared/state/queue-state.js';

const FRESH_MS = 1_000;
/** A Redis that does not answer is the next step's to report, in time. */
const READ_MS = 400;

export class Backlog {
  #queued = 0;
  #acceptedSince = 0;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(
    private readonly readState: () => Promise<Pick<QueueState, 'backlogAssociations'>>,
    /** associations */
    private readonly limit: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The last estimate, for metrics. */
  get estimate(): number {
    return this.#queued + this.#acceptedSince;
  }

  /** @returns whether another request may be accepted. Redis away: yes, the next step will say so. */
  hasRoom(priority: Priority = 'normal'): boolean | Promise<boolean> {
    // what somebody waits for is not shut out by somebody else's import
    const limit = priority === 'high' ? 2 * this.limit : this.limit;
    if (this.now() - this.#readAt >= FRESH_MS) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      // a doubtful case waits for the reading; far below the limit nobody does
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
      // the note that follows says why
    }
  }
}
