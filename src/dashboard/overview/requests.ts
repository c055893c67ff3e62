/**
 * Reads the requests for the page: those that have not ended and the latest ones, with the rate of each. The cost of a
 * reading does not grow with the number of kept requests. Changes nothing; shared/state/requests.ts defines the figures.
 */
import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/contract/keys.js';
import {
  type RequestQuery,
  RequestReader,
  type RequestRecord,
  type RequestSummary,
  type RequestView,
} from '../../shared/state/requests.js';
import { Rate } from './rate.js';

/** associations decided per second lately; null: not known, or it has ended */
type WithRate = { readonly perSecond: number | null };
export type RequestLine = Omit<RequestSummary, 'file'> & WithRate;
export type Requests = {
  readonly requests: readonly RequestLine[];
  /** how many are listed, including those that are not among these */
  readonly total: number;
  /** last one of the latest; older ones come after it */
  readonly after?: string;
};
/** One request with all that its record says. */
export type RequestDetail = {
  readonly request: RequestView & WithRate;
  readonly record: Pick<RequestRecord, 'jobs' | 'cancelledAt'>;
};

/** Requests of a page. */
const PAGE = 50;
/** Requests that are older than those of the page and have not ended are looked up this often. */
const LOOK_UP_MS = 10_000;

export class RecentRequests {
  readonly #reader: RequestReader;
  readonly #rates = new Map<string, { rate: Rate; perSecond: number | null; at: number }>();
  #active: { at: number; ids: readonly string[] } = { at: 0, ids: [] };

  constructor(
    private readonly redis: Redis,
    private readonly keys: Keys,
  ) {
    this.#reader = new RequestReader(redis, keys);
  }

  /** @param now Redis ms */
  async read(now: number): Promise<Requests> {
    const [latest, listed, ended] = await Promise.all([
      this.#reader.list({ limit: PAGE }),
      this.redis.zcard(this.keys.requestList),
      this.redis.zcard(this.keys.requestsEnded),
    ]);
    const shown = new Set(latest.requests.map(({ id }) => id));
    const active = latest.requests.filter(isActive);
    const isComplete = listed <= PAGE || listed - ended <= active.length;
    const older = isComplete ? [] : await this.#olderActive(shown, now);
    const all = [...active, ...older, ...latest.requests.filter(request => !isActive(request))];
    for (const request of all) this.#measure(request, now);
    this.#forget(now);
    const lines = all.map(request => this.#line(request, now));
    return { requests: lines, total: listed, ...(latest.after && listed > PAGE && { after: latest.after }) };
  }

  /** A page of older requests, or of those in one state. */
  async list(query: RequestQuery): Promise<Omit<Requests, 'total'>> {
    const { requests, after } = await this.#reader.list({ ...query, limit: PAGE });
    const lines = requests.map(request => this.#line(request, Date.parse(request.enqueuedAt)));
    return { requests: lines, ...(after && { after }) };
  }

  /** @param now Redis ms @returns undefined if there is no such request, or no longer */
  async detail(id: string, now: number): Promise<RequestDetail | undefined> {
    const [request, record] = await Promise.all([this.#reader.read(id), this.#reader.record(id)]);
    if (!request || !record) return undefined;
    this.#measure(request, now);
    const { jobs, cancelledAt } = record;
    return {
      request: { ...request, ...this.#timing(request, now) },
      record: {
        jobs,
        ...(cancelledAt !== undefined && { cancelledAt }),
      },
    };
  }

  /** Requests that have not ended although fifty newer ones exist. */
  async #olderActive(shown: ReadonlySet<string>, now: number): Promise<RequestSummary[]> {
    if (now - this.#active.at > LOOK_UP_MS || now < this.#active.at) {
      const ids = await this.redis.zdiff(2, this.keys.requestList, this.keys.requestsEnded);
      this.#active = { at: now, ids: ids.reverse() };
    }
    const ids = this.#active.ids.filter(id => !shown.has(id)).slice(0, PAGE);
    const found = await Promise.all(ids.map(id => this.#reader.read(id)));
    return found.filter(request => request !== undefined).filter(isActive);
  }

  #measure(request: RequestSummary, now: number): void {
    if (!isActive(request)) return;
    const known = this.#rates.get(request.id) ?? { rate: new Rate(), perSecond: null, at: now };
    known.perSecond = known.rate.perSecond(now, request.created + request.rejected);
    known.at = now;
    this.#rates.set(request.id, known);
  }

  #forget(now: number): void {
    for (const [id, { at }] of this.#rates) if (at < now - FORGOTTEN_MS) this.#rates.delete(id);
  }

  #line(request: RequestSummary & { rejections?: unknown }, now: number): RequestLine {
    const { file: _file, rejections: _reasons, ...line } = request;
    return { ...line, ...this.#timing(request, now) };
  }

  /** The rate of the last seconds says more about the end than the mean since the beginning. */
  #timing(request: RequestSummary, now: number): WithRate & { readonly doneAbout?: string } {
    const perSecond = isActive(request) ? (this.#rates.get(request.id)?.perSecond ?? null) : null;
    if (!perSecond || request.state !== 'open' || request.queued === 0) return { perSecond };
    return { perSecond, doneAbout: new Date(now + (request.queued / perSecond) * 1_000).toISOString() };
  }
}
const FORGOTTEN_MS = 60_000;

/** It has not ended: something of it may still be enqueued, decided or taken out of the queue. */
const isActive = ({ doneAt }: Pick<RequestSummary, 'doneAt'>): boolean => doneAt === undefined;
