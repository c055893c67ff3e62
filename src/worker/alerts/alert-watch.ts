/**
 * Posts to a webhook that the account is held, that it flows again, and that too much is rejected, once per incident for all
 * replicas. Each replica asks once a second, and one script decides which replica posts (observe.lua). If a replica dies with
 * an announcement, another replica gets it. An announcement is posted twice only if the replica dies between the webhook's
 * answer and the note in Redis. An error of the webhook never stops the worker.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../../shared/contract/errors.js';
import type { Keys } from '../../shared/contract/keys.js';
import type { Service } from '../../shared/runtime/lifecycle.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { loadScript } from '../../shared/runtime/script.js';
import { settlesWithin, sleep } from '../../shared/runtime/wait.js';
import { queuedKeys } from '../../shared/state/queue-state.js';
import { type Announcement, announcementText } from './announcement.js';
import { Webhook } from './webhook.js';

const LOOK_EVERY_MS = 1_000;
const POST_MS = 3_000;
/** A try that is not reported as posted within this time has failed, and the next one may start. */
const TURN_MS = POST_MS + 1_000;

export type AlertParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queue: string;
  readonly webhookUrl: string;
  /** in percent of the decided associations; 0 = never */
  readonly rejectionRate: number;
  readonly logger: Logger;
};

export class AlertWatch implements Service {
  readonly #observe = loadScript(new URL('./observe.lua', import.meta.url));
  readonly #posted = loadScript(new URL('./posted.lua', import.meta.url));
  readonly #webhook: Webhook;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: AlertParts) {
    this.#webhook = new Webhook(parts.webhookUrl, POST_MS);
  }

  /** The first observation precedes the work, so that the first rejections are compared with the totals before. */
  async start(): Promise<void> {
    this.#stop = new AbortController();
    const first = this.#look();
    await settlesWithin(first, LOOK_EVERY_MS);
    this.#running = first.then(() => this.#run(this.#stop.signal));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await settlesWithin(this.#running, 1_000);
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, signal);
      if (!signal.aborted) await this.#look();
    }
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { redis, keys, rejectionRate, logger } = this.parts;
    if (redis.status !== 'ready') return; // the watch of the connection reports it
    try {
      const taken = await this.#observe(
        redis,
        [keys.alerts, keys.alertSamples, keys.hold, keys.counters, ...queuedKeys(keys)],
        [rejectionRate, TURN_MS],
      );
      if (taken) await this.#post(JSON.parse(String(taken)) as Announcement);
    } catch (error) {
      logger.warn(
        { event: 'alert', error: messageOf(error) },
        'the queue could not be observed for ALERT_WEBHOOK_URL',
      );
    }
  }

  async #post(announcement: Announcement): Promise<void> {
    const { redis, keys, queue, logger } = this.parts;
    const { id, kind, tries } = announcement;
    const problem = await this.#webhook.post(announcementText(announcement, queue), this.#stop.signal);
    const fields = { event: 'alert', kind, tries, webhook: this.#webhook.place };
    if (problem === undefined) {
      await this.#posted(redis, [keys.alerts], [id]);
      logger.info(fields, 'posted to ALERT_WEBHOOK_URL');
    } else
      logger.warn(
        { ...fields, problem },
        'ALERT_WEBHOOK_URL did not accept the announcement; a replica retries for a while',
      );
  }
}
