/**
 * Tells people through a webhook: account held, account flowing again, rejections past a rate. Once per incident over
 * all replicas: each of them looks once a second, Redis decides whose turn it is (observe.lua). A replica that dies
 * with an announcement in hand leaves it to the next one; one that dies between the webhook's answer and Redis' note is
 * the one case in which it is told twice. Whatever the webhook does, the work goes on.
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
/** A try that has not been reported as posted by then has failed: the next one may come. */
const TURN_MS = POST_MS + 1_000;

export type AlertParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly queue: string;
  readonly webhookUrl: string;
  /** percent of the decided associations; 0 = never */
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

  /** The first look comes before the work, so that its first rejections are compared with what was before. */
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

  /** It never rejects. */
  async #look(): Promise<void> {
    const { redis, keys, rejectionRate, logger } = this.parts;
    if (redis.status !== 'ready') return; // said elsewhere, and waited for
    try {
      const taken = await this.#observe(
        redis,
        [keys.alerts, keys.alertSamples, keys.hold, keys.counters, ...queuedKeys(keys)],
        [rejectionRate, TURN_MS],
      );
      if (taken) await this.#post(JSON.parse(String(taken)) as Announcement);
    } catch (error) {
      logger.warn({ event: 'alert', error: messageOf(error) }, 'the queue could not be watched');
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
    } else logger.warn({ ...fields, problem }, 'ALERT_WEBHOOK_URL did not take it; tried again for a while');
  }
}
