/**
 * Heartbeat: writes the report of this replica every two seconds, reads the reports of the others, and takes each minute's
 * sample of the backlog. An error never stops the work.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../../shared/contract/errors.js';
import type { Keys } from '../../shared/contract/keys.js';
import type { Service } from '../../shared/runtime/lifecycle.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { settlesWithin, sleep } from '../../shared/runtime/wait.js';
import { createSampler } from '../../shared/state/sampler.js';
import {
  HEARTBEAT_MS,
  hearReplicas,
  reportAlive,
  reportGone,
  type WorkerReport,
  type WorkerState,
} from '../../shared/state/worker-reports.js';
import type { PipelineState } from './pipeline-state.js';

/** Longest wait for the last report if Redis is unreachable. */
const GOODBYE_MS = 500;

export class Heartbeat implements Service {
  readonly #stop = new AbortController();
  readonly #sample: () => Promise<boolean>;
  #first: Promise<void> = Promise.resolve();
  #beating: Promise<void> = Promise.resolve();

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
    private readonly report: () => WorkerReport,
    private readonly onReports: (alive: readonly WorkerReport[]) => void,
    /** called for each report that is written */
    private readonly onBeat: () => void,
    private readonly logger: Logger,
  ) {
    this.#sample = createSampler(redis, keys);
  }

  async start(): Promise<void> {
    this.#first = this.#beat();
    this.#beating = this.#first.then(() => this.#goOn());
  }

  /** Resolves when the other reports were read, or Redis refused them: the first call may go. */
  get first(): Promise<void> {
    return this.#first;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    const gone = this.#beating
      .then(() => reportGone(this.redis, this.keys, this.report().id))
      .catch(() => {});
    await settlesWithin(gone, GOODBYE_MS);
  }

  async #goOn(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(HEARTBEAT_MS, this.#stop.signal);
      await this.#beat();
    }
  }

  async #beat(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { redis, keys } = this;
    await this.#try('could not say that this worker lives', async () => {
      await reportAlive(redis, keys, this.report());
      this.onBeat();
    });
    await this.#try('could not hear the other workers', async () =>
      this.onReports(await hearReplicas(redis, keys)),
    );
    await this.#try('could not sample the backlog', this.#sample);
  }

  /** Runs one step; a Redis that refuses it may accept the others. */
  async #try(failure: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn({ event: 'heartbeat', error: messageOf(error) }, failure);
    }
  }
}

/** @returns the state of the replica in one word; the first that applies. Pure. */
export function stateOf(
  now: Pick<PipelineState, 'isRunning' | 'isStopping' | 'isHeld' | 'inFlight' | 'associations'>,
): WorkerState {
  if (now.isStopping) return 'draining';
  if (!now.isRunning) return 'starting';
  if (now.isHeld) return 'held';
  if (now.inFlight > 0) return 'sending';
  return now.associations > 0 ? 'gathering' : 'idle';
}
