/**
 * Cache of the labels of object pairs: looks in memory, then in Redis, then asks HubSpot.
 * Responsible for:
 *   1. lifetimes: a list expires LABEL_CACHE_SECONDS after HubSpot returned it, in Redis and in memory at the same moment;
 *   2. one lookup at a time for an object pair, however many callers wait for it;
 *   3. asking again for a label that is not in the list, but only once the list is a minute old, and not at every call
 *      while HubSpot fails.
 * Not responsible for the request to HubSpot (labels-client.ts).
 */
import type { Redis } from 'ioredis';
import { LabelLookupError, messageOf } from '../shared/contract/errors.js';
import { readJson } from '../shared/contract/json.js';
import type { ObjectPair } from '../shared/contract/standard-types.js';
import { heardWithin } from '../shared/runtime/wait.js';
import { between } from './choose-types.js';
import type { Asked, LabelsClient } from './labels-client.js';

export type LabelBookParts = {
  readonly redis: Redis;
  /** resolves when Redis answers */
  readonly connected: () => Promise<void>;
  /** prefix of the keys in Redis (`keys.labels`) */
  readonly prefix: string;
  readonly client: LabelsClient;
  readonly lifetimeMs: number;
  /** a list of this age may lack a new label */
  readonly refreshMs: number;
};
export type Known = Asked & {
  /** when HubSpot returned the list (performance.now()) */
  readonly since: number;
  readonly until: number;
};
/** `pair` has normalized ids for the key; the request uses the caller's names */
export type Question = {
  readonly pair: ObjectPair;
  readonly fromObjectType: string;
  readonly toObjectType: string;
};

/** Most lists in memory. A caller with more object pairs reads Redis more often. */
const MAX_KNOWN = 1_000;
const REDIS_MS = 1_200;
const REDIS_AGAIN_MS = 2_000;
/** A failed lookup is answered with the same error for this time. */
const FAILURE_MS = 2_000;
/** Without a token this process cannot ask HubSpot and looks into Redis again after this time. */
const NO_TOKEN_MS = 5_000;
/** Lifetime of HubSpot's refusal to list anything for an object pair: somebody may define it. */
const REFUSAL_MS = 60_000;

export class LabelBook {
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #failed = new Map<string, { readonly error: LabelLookupError; readonly until: number }>();

  constructor(private readonly parts: LabelBookParts) {}

  /** @returns the list in memory, unless it has expired */
  known({ pair }: Question): Known | undefined {
    const known = this.#known.get(nameOf(pair));
    return known && known.until > performance.now() ? known : undefined;
  }

  /** @returns true if the list is too young to lack a label */
  isFresh(known: Known): boolean {
    return performance.now() - known.since < this.parts.refreshMs;
  }

  /**
   * Looks in Redis and then at HubSpot. Afterwards `known` returns the result.
   * @param isEnough decides whether a list that is not fresh suffices
   * @throws LabelLookupError if Redis or HubSpot cannot be asked
   */
  async look(question: Question, isEnough: (known: Asked) => boolean): Promise<void> {
    const name = nameOf(question.pair);
    const failed = this.#failed.get(name);
    if (failed && failed.until > performance.now()) throw failed.error;
    let asking = this.#asking.get(name);
    if (!asking) {
      asking = this.#look(name, question, isEnough)
        .catch((error: unknown) => this.#fail(name, question, error))
        .finally(() => this.#asking.delete(name));
      this.#asking.set(name, asking);
    }
    await asking;
  }

  async #look(name: string, question: Question, isEnough: (known: Asked) => boolean): Promise<void> {
    const { client, lifetimeMs } = this.parts;
    const stored = await this.#read(name);
    if (stored && (this.isFresh(stored) || isEnough(stored))) return this.#remember(name, stored);
    const since = performance.now();
    if (!client.hasToken) {
      const rest = stored ?? {
        labels: [],
        refusal: `an access token is needed for it: set ${client.tokenName}`,
      };
      return this.#remember(name, { ...rest, since, until: since + NO_TOKEN_MS });
    }
    const { fromObjectType, toObjectType } = question;
    const asked = await client.ask({ fromObjectType, toObjectType });
    const forMs = asked.refusal === undefined ? lifetimeMs : Math.min(lifetimeMs, REFUSAL_MS);
    this.#remember(name, { ...asked, since, until: since + forMs });
    await this.#write(name, asked, forMs);
  }

  #remember(name: string, known: Known): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.delete(name);
    this.#known.set(name, known);
  }

  #fail(name: string, { fromObjectType, toObjectType }: Question, cause: unknown): never {
    if (cause instanceof LabelLookupError) {
      // remembered, to spare HubSpot and its quota; failures of Redis are not remembered
      if (this.#failed.size >= MAX_KNOWN) this.#failed.clear();
      this.#failed.set(name, { error: cause, until: performance.now() + FAILURE_MS });
      throw cause;
    }
    const reason = messageOf(cause)
      .replace(ECHOED_ARGUMENTS, '')
      .replace(/^(?!Redis)/, 'Redis: ');
    const objects = between({ fromObjectType, toObjectType });
    throw new LabelLookupError(`the labels ${objects} cannot be looked up: ${reason}`, REDIS_AGAIN_MS);
  }

  /** Computes ages on Redis' clock, because another process may have written the list. */
  async #read(name: string): Promise<Known | undefined> {
    const { redis, connected, prefix } = this.parts;
    await connected();
    const [[, time], [, text]] = (await inTime(
      redis
        .multi()
        .time()
        .get(prefix + name)
        .exec(),
    )) as [[null, [string, string]], [null, string | null]];
    const stored = text === null ? undefined : readStored(text);
    if (!stored) return undefined;
    const { at, until, ...asked } = stored;
    const [now, here] = [redisMs(time), performance.now()];
    return until > now
      ? { ...asked, since: here - Math.max(0, now - at), until: here + until - now }
      : undefined;
  }

  async #write(name: string, asked: Asked, forMs: number): Promise<void> {
    const { redis, prefix } = this.parts;
    const at = redisMs((await inTime(redis.time())) as unknown as [string, string]);
    const stored: Stored = { ...asked, at, until: at + forMs };
    await inTime(redis.set(prefix + name, JSON.stringify(stored), 'PX', forMs));
  }
}

/** at, until: Redis' clock, epoch ms */
type Stored = Asked & { readonly at: number; readonly until: number };

/** @returns undefined if the text is not ours; the caller then asks HubSpot */
function readStored(text: string): Stored | undefined {
  const stored = readJson(text) as Stored | null | undefined;
  const isStored =
    Array.isArray(stored?.labels) && Number.isFinite(stored.at) && Number.isFinite(stored.until);
  return isStored ? stored : undefined;
}

/** Redis repeats the arguments in its error. */
const ECHOED_ARGUMENTS = /, with args beginning with.*$/s;
const nameOf = ({ from, to }: ObjectPair): string => `${from}/${to}`;
const redisMs = ([seconds, micros]: readonly [string, string]): number =>
  Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);

/** Counts only time in which this thread could read the answer: a producer may pack 100,000 associations meanwhile. */
const inTime = <T>(work: Promise<T>): Promise<T> => heardWithin(work, REDIS_MS, () => {});
