/**
 * Heartbeat: writes the report of this replica every two seconds, learns whether it has a place, reads the reports of the
 * others, and takes each minute's sample of the backlog. An error never stops the work.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../../shared/contract/errors.js';
import type { Keys } from '../../shared/contract/keys.js';
import type { Service } from '../../shared/runtime/lifecycle.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { isRefusal } from '../../shared/runtime/redis.js';
import { type Notifier, settlesWithin } from '../../shared/runtime/wait.js';
import { createSampler } from '../../shared/state/sampler.js';
import type { Standing, Turn } from '../../shared/state/standing.js';
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

export type HeartbeatParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly report: () => WorkerReport;
  readonly onReports: (alive: readonly WorkerReport[]) => void;
  /** called for each report that is written */
  readonly onBeat: () => void;
  /** place.ts */
  readonly place: {
    turn(): Turn;
    places(): Promise<number | undefined>;
    readonly isFirst: boolean;
    learn(standing: Standing): void;
    missed(isFault: boolean): void;
  };
  /** notified when the next heartbeat should not wait */
  readonly beat: Notifier;
  readonly logger: Logger;
};

export class Heartbeat implements Service {
  readonly #stop = new AbortController();
  readonly #sample: () => Promise<boolean>;
  #first: Promise<void> = Promise.resolve();
  #beating: Promise<void> = Promise.resolve();

  constructor(private readonly parts: HeartbeatParts) {
    this.#sample = createSampler(parts.redis, parts.keys);
  }

  async start(): Promise<void> {
    this.#first = this.#beat();
    this.#beating = this.#first.then(() => this.#goOn());
  }

  /** Resolves when the other reports were read, or Redis refused them: the first call may go. */
  get first(): Promise<void> {
    return this.#first;
  }

  /** Says at once that the replica ends, so that another one takes its place while it drains. Never rejects. */
  async leave(): Promise<void> {
    await this.#report();
  }

  async stop(): Promise<void> {
    const { redis, keys, report, beat } = this.parts;
    this.#stop.abort();
    beat.notify();
    const gone = this.#beating.then(() => reportGone(redis, keys, report().id)).catch(() => {});
    await settlesWithin(gone, GOODBYE_MS);
  }

  async #goOn(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.parts.beat.wait(HEARTBEAT_MS);
      await this.#beat();
    }
  }

  async #beat(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { redis, keys, onReports, place } = this.parts;
    const wasFirst = place.isFirst;
    const standing = await this.#report();
    await this.#try('could not hear the other workers', async () =>
      onReports(await hearReplicas(redis, keys)),
    );
    // only now: with its place the replica may call, which needs the limits of the others
    if (standing) place.learn(standing);
    await this.#try('could not sample the backlog', this.#sample);
    if (!wasFirst && place.isFirst) await this.#count();
  }

  /** @returns undefined if Redis refused */
  async #report(): Promise<Standing | undefined> {
    const { redis, keys, report, onBeat, place } = this.parts;
    let places: number | undefined;
    await this.#try('could not count the places', async () => {
      places = await place.places();
    });
    let standing: Standing | undefined;
    await this.#try(
      'could not say that this worker lives',
      async () => {
        standing = await reportAlive(redis, keys, report(), { turn: place.turn(), places });
        onBeat();
      },
      error => place.missed((error as Error).name === 'ReplyError' && !isRefusal(error)),
    );
    return standing;
  }

  /** A replica that has just become the first one counts the places at once. */
  async #count(): Promise<void> {
    const standing = await this.#report();
    if (standing) this.parts.place.learn(standing);
  }

  /** Runs one step; a Redis that refuses it may accept the others. */
  async #try(
    failure: string,
    work: () => Promise<unknown>,
    onFailure?: (error: unknown) => void,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.logger.warn({ event: 'heartbeat', error: messageOf(error) }, failure);
      onFailure?.(error);
    }
  }
}

/** @returns the state of the replica in one word; the first that applies. Pure. */
export function stateOf(
  now: Pick<PipelineState, 'isRunning' | 'isStopping' | 'isStandby' | 'isHeld' | 'inFlight' | 'associations'>,
): WorkerState {
  if (now.isStopping) return 'draining';
  if (!now.isRunning) return 'starting';
  if (now.isStandby && now.associations === 0) return 'standby';
  if (now.isHeld) return 'held';
  if (now.inFlight > 0) return 'sending';
  return now.associations > 0 ? 'gathering' : 'idle';
}
