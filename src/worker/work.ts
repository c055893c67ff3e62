/**
 * The work of a replica from its first job to its last: what is started after what, and how it ends. SIGTERM: stop
 * fetching → put back what is unread → flush open batches → wait for calls in flight → give the rest back.
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
  /** its first beat hears the limits of all replicas */
  readonly heartbeat: Heartbeat;
  readonly shutdownTimeoutMs: number;
  /** said in the log at the start */
  readonly about: object;
  readonly logger: Logger;
};

/** Of SHUTDOWN_TIMEOUT_MS: calls in flight may end within it; in the rest they are given up. */
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
    const { caller, shutdownTimeoutMs, logger } = this.parts;
    const { dispatcher, intake } = this.parts.pipeline;
    this.#stop.abort();
    const drained = intake.drain();
    dispatcher.flush();
    const graceMs = shutdownTimeoutMs * GRACE;
    if (!(await settlesWithin(drained, graceMs)))
      logger.warn(
        { event: 'deadline', graceMs },
        'calls still in flight are given up, their associations go back',
      );
    // with Redis away neither can end
    await settlesWithin(Promise.all([dispatcher.abort(), drained]), shutdownTimeoutMs - graceMs);
    await caller.close();
    logger.info({ event: 'stopped' });
  }

  /** A Redis that takes no writes at the start is waited for as it is later. */
  #done(step: () => Promise<void>): Promise<void> {
    return untilDone(step, this.#stop.signal, error =>
      this.parts.logger.warn(
        { event: 'redis', error: messageOf(error) },
        'the worker could not start; it tries again in a second',
      ),
    );
  }
}
