/**
 * Health of a replica: whether it makes progress, whatever its connections say of themselves.
 *   ready   the last heartbeat was written less than 10 s ago, and jobs can be fetched
 *   alive   not so if there was no progress for LIVENESS_SECONDS although Redis answers a new connection and accepts writes
 *           on it: only then a restart helps. An outage of Redis never restarts a replica.
 */
import { duration } from '../../shared/runtime/duration.js';
import type { Service } from '../../shared/runtime/lifecycle.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { sleep } from '../../shared/runtime/wait.js';
import type { PipelineState } from './pipeline-state.js';

/** Five heartbeats. */
const BEAT_LATE_MS = 10_000;
/** BullMQ waits 5 s for a job, and at most 10 s. */
const FETCH_LATE_MS = 30_000;
/** Interval of the check whether the replica is stuck. */
const LOOK_MS = 10_000;

export type HealthParts = {
  readonly state: () => Pick<PipelineState, 'isRunning' | 'fetching'>;
  /** LIVENESS_SECONDS in milliseconds */
  readonly livenessMs: number;
  /** asks Redis over a new connection; see answersAfresh */
  readonly answersAfresh: () => Promise<boolean>;
  readonly logger: Logger;
  readonly now?: () => number;
};

export class Health implements Service {
  readonly #stop = new AbortController();
  readonly #now: () => number;
  #beatAt: number;
  /** looks in a row at which Redis answered a new connection, and the replica made no progress */
  #answers = 0;
  /** why a restart helps; undefined: it does not, or nothing is wrong */
  #stuck: string | undefined;

  constructor(private readonly parts: HealthParts) {
    this.#now = parts.now ?? (() => performance.now());
    this.#beatAt = this.#now();
  }

  /** A heartbeat was written. */
  readonly beat = (): void => {
    this.#beatAt = this.#now();
  };

  async start(): Promise<void> {
    this.#beatAt = this.#now();
    void this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
  }

  /** For /readyz: reasons why the replica cannot work. */
  get notReady(): string[] {
    const { isRunning } = this.parts.state();
    const { fetchTrouble } = this;
    const beatMs = this.#now() - this.#beatAt;
    return [
      ...(isRunning ? [] : ['the worker is not running']),
      ...(beatMs >= BEAT_LATE_MS ? [`no heartbeat was written for ${duration(beatMs)}`] : []),
      ...(fetchTrouble === undefined ? [] : [fetchTrouble]),
    ];
  }

  /** Why no job can be fetched; undefined: nothing is known against it. */
  get fetchTrouble(): string | undefined {
    const { error, ms } = this.parts.state().fetching;
    if (error !== undefined) return `no job can be fetched: ${error}`;
    return ms >= FETCH_LATE_MS ? `the wait for jobs has not ended for ${duration(ms)}` : undefined;
  }

  /** For /healthz: reasons to restart the replica. */
  get notAlive(): string[] {
    return this.#stuck === undefined ? [] : [this.#stuck];
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(LOOK_MS, signal);
      await this.look();
    }
  }

  /** Finds out whether the replica is stuck. It is called every ten seconds. */
  async look(): Promise<void> {
    const { livenessMs, answersAfresh, logger } = this.parts;
    const answers = this.#stuckMs >= livenessMs && (await answersAfresh());
    const ms = this.#stuckMs;
    if (!answers || ms < livenessMs) {
      this.#answers = 0;
      this.#stuck = undefined;
      return;
    }
    // after an outage the replica's own connections need a moment longer than a new one
    this.#answers += 1;
    if (this.#answers < 2) return;
    const isNew = this.#stuck === undefined;
    this.#stuck = `no progress for ${duration(ms)}, although Redis answers a new connection`;
    if (isNew)
      logger.error({ event: 'stuck' }, `the worker is stuck and wants to be restarted: ${this.#stuck}`);
  }

  /** @returns for how long the heartbeat or the fetch of jobs has made no progress, ms */
  get #stuckMs(): number {
    const { isRunning, fetching } = this.parts.state();
    return Math.max(this.#now() - this.#beatAt, isRunning ? fetching.ms : 0);
  }
}
