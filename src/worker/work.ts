/**
 * Starts and ends the work of a replica in order. SIGTERM: stop fetching → leave the place to another replica → put back
 * unread jobs → flush open batches → wait for calls in flight → give the rest back.
 */
import { hostname } from 'node:os';
import type { Quota } from '../hubspot/quota.js';
import { messageOf } from '../shared/contract/errors.js';
import type { Service } from '../shared/runtime/lifecycle.js';
import type { Logger } from '../shared/runtime/logger.js';
import { settlesWithin, untilDone } from '../shared/runtime/wait.js';
import type { Caller } from './calls/caller.js';
import type { Pipeline } from './pipeline.js';
import type { Heartbeat } from './report/heartbeat.js';

export type WorkParts = {
  readonly caller: Caller;
  readonly quota: Quota;
  readonly pipeline: Pipeline;
  /** its first beat reads the limits of all replicas and says whether this one fetches */
  readonly heartbeat: Heartbeat;
  readonly shutdownTimeoutMs: number;
  /** fields of the log line at the start */
  readonly about: object;
  readonly logger: Logger;
};

/** Share of SHUTDOWN_TIMEOUT_MS in which calls in flight may end; then they are aborted. */
const GRACE = 0.8;

export class Work implements Service {
  readonly #stop = new AbortController();

  constructor(private readonly parts: WorkParts) {}

  async start(): Promise<void> {
    const { caller, quota, heartbeat, about, logger } = this.parts;
    const { dispatcher, intake } = this.parts.pipeline;
    const { signal } = this.#stop;
    await caller.start();
    await this.#done(() => quota.startAfresh());
    await heartbeat.first;
    if (signal.aborted) return;
    dispatcher.start();
    await this.#done(() => intake.start());
    if (signal.aborted) return;
    logger.info({ event: 'started', replica: `${hostname()}:${process.pid}`, ...about });
  }

  async stop(): Promise<void> {
    const { caller, heartbeat, shutdownTimeoutMs, logger } = this.parts;
    const { dispatcher, intake } = this.parts.pipeline;
    this.#stop.abort();
    const drained = intake.drain();
    void heartbeat.leave();
    dispatcher.flush();
    const graceMs = shutdownTimeoutMs * GRACE;
    if (!(await settlesWithin(drained, graceMs)))
      logger.warn(
        { event: 'deadline', graceMs },
        'calls still in flight are aborted; their associations go back to the queue',
      );
    // neither can end while Redis is unreachable
    await settlesWithin(Promise.all([dispatcher.abort(), drained]), shutdownTimeoutMs - graceMs);
    await caller.close();
    logger.info({ event: 'stopped' });
  }

  /** Retries a step of the start while Redis refuses writes. */
  #done(step: () => Promise<void>): Promise<void> {
    return untilDone(step, this.#stop.signal, error =>
      this.parts.logger.warn(
        { event: 'redis', error: messageOf(error) },
        'the worker could not start; it tries again in a second',
      ),
    );
  }
}
