/**
 * Tells one webhook what happened. Workers, gateway and dashboard each ask once a second; one script decides what there is
 * to tell and which process posts it (take.lua), so that one posts at a time and each event is told once. An event is posted
 * until it is taken, and one that is not taken does not hold up the others (report.lua). If the process dies between the
 * receiver's answer and its report, another process posts the event again, with the same id. No error of a webhook stops
 * the process.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../bullmq/layout.js';
import { messageOf } from '../contract/errors.js';
import type { Keys } from '../contract/keys.js';
import type { Config } from '../runtime/config.js';
import type { Service } from '../runtime/lifecycle.js';
import type { Logger } from '../runtime/logger.js';
import { loadScript } from '../runtime/script.js';
import { settlesWithin, sleep } from '../runtime/wait.js';
import { queuedKeys } from '../state/queue-state.js';
import { RequestReader } from '../state/requests.js';
import { SILENT_MS } from '../state/worker-reports.js';
import type { Announcement } from './announcement.js';
import { POST_MS, type Target, targetsOf } from './targets.js';
import type { PostResult } from './webhook.js';

const LOOK_EVERY_MS = 1_000;
/** After this time without a report another process posts the event. */
const LEASE_MS = POST_MS + 1_000;

export type AnnouncerParts = {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly logger: Logger;
  /** false: this Redis takes no writes, such as a replica that a dashboard reads */
  readonly canWrite?: () => Promise<boolean>;
};

/** @returns a service for each webhook that is set */
export function announcersOf(config: Config, parts: AnnouncerParts): Service[] {
  const reader = new RequestReader(parts.redis, parts.keys);
  const targets = targetsOf(config, parts.keys, id => reader.read(id));
  return targets.map(target => new Announcer(target, parts));
}

const takeScript = loadScript(new URL('./take.lua', import.meta.url));
const reportScript = loadScript(new URL('./report.lua', import.meta.url));

export class Announcer implements Service {
  readonly #id = randomUUID();
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly target: Target,
    private readonly parts: AnnouncerParts,
  ) {}

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

  /** Posts what there is, one after the other. Never rejects. */
  async #look(): Promise<void> {
    const { redis, logger, canWrite } = this.parts;
    if (redis.status !== 'ready') return; // the watch of the connection reports it
    try {
      if (canWrite && !(await canWrite())) return;
      for (;;) {
        const taken = await this.#take();
        if (!taken || this.#stop.signal.aborted) return;
        await this.#post(taken);
      }
    } catch (error) {
      logger.warn(
        { event: 'alert', error: messageOf(error) },
        `the queue could not be observed for ${this.target.name}`,
      );
    }
  }

  async #take(): Promise<Announcement | undefined> {
    const { redis, keys } = this.parts;
    const { key, rejectionRate = -1, requestsOver = -1 } = this.target;
    const taken = await takeScript(
      redis,
      [
        ...[key, keys.alertSamples, keys.hold, keys.counters, bullmqKeys(keys).meta, keys.workers],
        ...[keys.requests, keys.requestsToAnnounce, ...queuedKeys(keys)],
      ],
      [this.#id, LEASE_MS, SILENT_MS, rejectionRate, requestsOver],
    );
    return taken ? (JSON.parse(String(taken)) as Announcement) : undefined;
  }

  async #post(announcement: Announcement): Promise<void> {
    const { name, webhook, bodyOf, headersOf } = this.target;
    const { logger } = this.parts;
    const { id, kind } = announcement;
    const body = await bodyOf(announcement);
    if (body === undefined) return this.#report(announcement, 'gone'); // its request is no longer kept
    const { fate, what } = await webhook.post(body, headersOf(body), this.#stop.signal);
    // a process that ends keeps its turn until its time is over: it does not know whether the event arrived
    if (fate === 'failed' && this.#stop.signal.aborted) return;
    const fields = { event: 'alert', kind, id, webhook: webhook.place };
    if (fate === 'taken') logger.info(fields, `posted to ${name}`);
    else logger.warn({ ...fields, problem: what }, `${name} ${WORDS[fate]}`);
    await this.#report(announcement, fate);
  }

  async #report(announcement: Announcement, fate: PostResult['fate'] | 'gone'): Promise<void> {
    const { redis, keys } = this.parts;
    const { id, at } = announcement;
    const request = announcement.kind === 'request' ? announcement.request : '';
    await reportScript(
      redis,
      [this.target.key, keys.requests, keys.requestsToAnnounce],
      [id, at, this.#id, fate, request],
    );
  }
}

const WORDS = {
  unwanted: 'does not want the announcement',
  refused: 'refused the announcement; it is posted again with growing pauses, and others go on',
  failed: 'did not accept the announcement; it is posted again with growing pauses',
};
