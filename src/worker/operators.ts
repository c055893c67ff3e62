/**
 * Operator watch: asks twice a second what people have decided.
 *  1. Requests that they take back: the pipeline gives back what it has of them. The worker cancels nothing by itself, but if
 *     the process that cancels has died, one worker finishes it (shared/state/cancel-request.ts).
 *  2. A pause of the queue: /readyz mentions it. (BullMQ's own command keeps paused workers from jobs.)
 * An error never stops the work.
 */
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../bullmq/layout.js';
import { messageOf } from '../shared/contract/errors.js';
import type { Keys } from '../shared/contract/keys.js';
import type { Service } from '../shared/runtime/lifecycle.js';
import type { Logger } from '../shared/runtime/logger.js';
import { loadScript } from '../shared/runtime/script.js';
import { settlesWithin, sleep, untilDone } from '../shared/runtime/wait.js';
import { finishCancel } from '../shared/state/cancel-request.js';

const LOOK_EVERY_MS = 500;
/** Most requests that are taken back at once; the worker holds jobs of the oldest ones first. */
const MOST_CANCELS = 1_000;
/** Most cancels that one worker finishes at once. */
const FINISHED_AT_ONCE = 3;
const GOODBYE_MS = 1_000;

export type OperatorParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  /** ids of requests that people take back; the watch keeps it up to date */
  readonly cancelled: Set<string>;
  /** called after each look while there are such requests */
  readonly onCancelled: () => void;
  readonly logger: Logger;
};

export class OperatorWatch implements Service {
  readonly #script = loadScript(new URL('./operators.lua', import.meta.url));
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** cancels that this worker finishes, or asks whether it must, by request */
  readonly #finishing = new Map<string, Promise<void>>();
  /** the request that it asked for last: the next look goes on behind it, because living processes may finish the oldest for hours */
  #asked = '';
  #note: string | undefined;

  constructor(private readonly parts: OperatorParts) {}

  /** For /readyz. */
  get notes(): readonly string[] {
    return this.#note === undefined ? [] : [this.#note];
  }

  /** The first look precedes the work, so that no job of a cancelled request is opened. It waits for Redis. */
  async start(): Promise<void> {
    await untilDone(
      () => this.#read(),
      this.#stop.signal,
      error => this.#report(error),
    );
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await settlesWithin(Promise.all([this.#running, ...this.#finishing.values()]), GOODBYE_MS);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    if (this.parts.redis.status !== 'ready') return; // the watch of the connection reports it
    try {
      await this.#read();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.parts.logger.warn(
      { event: 'operators', error: messageOf(error) },
      'the worker could not read cancels; it tries again',
    );
  }

  async #read(): Promise<void> {
    const { redis, keys } = this.parts;
    const scriptKeys = [keys.requestsCancelling, bullmqKeys(keys).meta, keys.paused];
    const [ids, paused, pause] = (await this.#script(redis, scriptKeys, [MOST_CANCELS])) as Reply;
    this.#note = paused === 1 ? pauseNote(pause) : undefined;
    this.#learn(ids);
  }

  #learn(ids: readonly string[]): void {
    const { cancelled, onCancelled } = this.parts;
    cancelled.clear();
    for (const id of ids) cancelled.add(id);
    // each time, because jobs of them may have been fetched again
    if (ids.length > 0) onCancelled();
    const next = ids.indexOf(this.#asked) + 1;
    for (const id of [...ids.slice(next), ...ids.slice(0, next)]) {
      if (this.#finishing.size >= FINISHED_AT_ONCE || this.#stop.signal.aborted) return;
      if (this.#finishing.has(id)) continue;
      this.#asked = id;
      this.#finishing.set(
        id,
        this.#finish(id).finally(() => this.#finishing.delete(id)),
      );
    }
  }

  /** Finishes the cancel of a request if its process has died. Never rejects. */
  async #finish(id: string): Promise<void> {
    const { redis, keys, logger } = this.parts;
    const { signal } = this.#stop;
    try {
      const end = await finishCancel({ redis, keys }, id, { signal });
      if (end) logger.info({ event: 'cancelled', requestId: id, ...end });
    } catch (error) {
      logger.warn(
        { event: 'cancel', requestId: id, error: messageOf(error) },
        'the worker could not finish the cancel of a request; it tries again',
      );
    }
  }
}

type Reply = readonly [ids: readonly string[], paused: number, pause: readonly (string | null)[]];

const pauseNote = ([by, why]: Reply[2]): string =>
  `the queue is paused by ${by ?? 'another client'}${why ? `: ${why}` : ''}`;
