/**
 * The producer library: enqueues associations.
 * Responsible for:
 *   1. packing calls of `enqueue` that are made within a few milliseconds into one bulk (a lot), as DataLoader does;
 *   2. resolving a call only when Redis has acknowledged its association;
 *   3. telling every caller of a failed lot what happened to its association.
 * Not responsible for packing into jobs (packer.ts), long inputs (enqueue-many.ts), or Redis (sender.ts).
 */
import { randomUUID } from 'node:crypto';
import type { Span } from '@opentelemetry/api';
import { type Labels, openLabels } from '../labels/open-labels.js';
import { allFaults, type Resolved, saysTypes, type TypesOf, withTypes } from '../labels/type-resolver.js';
import { TypeWarner } from '../labels/type-warnings.js';
import {
  type Association,
  associationFaults,
  type JobData,
  type TypedAssociation,
} from '../shared/contract/association.js';
import type { AssociationInput } from '../shared/contract/association-input.js';
import {
  ConfigError,
  EnqueueError,
  InvalidAssociationError,
  messageOf,
  SharedRequestError,
  UnknownRequestError,
} from '../shared/contract/errors.js';
import { accountKeys, DEFAULT_ACCOUNT, type Keys, type Priority } from '../shared/contract/keys.js';
import { openRedis } from '../shared/runtime/redis.js';
import { userAtHost } from '../shared/runtime/who.js';
import { cancelRequest } from '../shared/state/cancel-request.js';
import { Follower } from '../shared/state/follower.js';
import type { RequestView } from '../shared/state/requests.js';
import type {
  Associations,
  Cancelled,
  Enqueued,
  EnqueueManyOptions,
  EnqueueOptions,
  FollowOptions,
  Producer,
  ProducerOptions,
  Receipt,
} from './api.js';
import { check, enqueueManyProblems, enqueueProblems, followProblems, optionProblems } from './checks.js';
import { enqueueMany } from './enqueue-many.js';
import { Faults, GivenReader } from './given.js';
import { type JobKind, type JobOrigin, Packer } from './packer.js';
import { type QueuePlace, queuePlace } from './queue-place.js';
import { type NewRequest, PartlyEnqueued, RequestSender } from './request-sender.js';
import { JOBS_PER_BULK, Sender } from './sender.js';

/** Calls of `enqueue` that are sent together. */
type Lot = {
  packer: Packer;
  full: ReturnType<Packer['takeOpen']>;
  size: number;
  /** the callers' spans, if they are traced */
  callers: Set<Span>;
  settled: Promise<void>;
  go: () => void;
  receipt: Receipt;
};

/** How a call of `enqueue` goes: calls with the same key share lots. */
type Way = { readonly lot: string; readonly priority: Priority; readonly name: string | undefined };
const PLAIN: Way = { lot: 'normal', priority: 'normal', name: undefined };

/** Most associations of a lot: 40 full jobs, or more jobs if there are more lanes. */
const LOT_SIZE = 20_000;

/** For the command line, which resolves types itself to refuse lines before they are enqueued, and enqueues files. */
export type FileProducer = Producer & {
  readonly typesOf: TypesOf;
  /** called once for each object pair with its types: warns of types that look wrong */
  readonly onLane: (lane: JobKind) => void;
  /** source of all jobs */
  readonly origin: JobOrigin;
  /** Makes a request of a file. It does not connect. */
  fileRequest(about: { id: string; name: string | undefined; priority: Priority }): RequestSender;
  readonly follower: Follower;
};

/**
 * Does not connect; the first call does. @throws ConfigError with every invalid option
 * @param tokenName what sets the token, for messages; default: the setting of the commands
 */
export function openProducer(options: ProducerOptions, tokenName?: string): FileProducer {
  const placeOf = (given: ProducerOptions) => queuePlace(given, process.env);
  const problems = optionProblems(options, placeOf);
  if (problems.length > 0) throw new ConfigError(problems);
  return new QueueProducer(options, placeOf(options), tokenName);
}

class QueueProducer implements FileProducer {
  readonly #sender: Sender;
  readonly #keys: Keys;
  readonly #retentionDays: number;
  readonly origin: JobOrigin;
  readonly follower: Follower;
  readonly #maxUnacknowledged: number;
  readonly #packMs: number;
  readonly #labels: Labels;
  readonly #warner: TypeWarner;
  readonly typesOf: TypesOf;
  readonly onLane = (lane: JobKind): void => this.#warner.check(lane);
  readonly #given = new GivenReader();
  readonly #lots = new Map<string, Lot>();
  /** All pending work; these promises do not reject. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** Calls of `enqueue` that wait for a lookup of types and have no lot yet. */
  readonly #lookups = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(
    options: ProducerOptions,
    { address, prefix, waitReplicas }: QueuePlace,
    tokenName: string | undefined,
  ) {
    const { account = DEFAULT_ACCOUNT, source } = options;
    this.#sender = new Sender(address, prefix, account, waitReplicas);
    this.#keys = accountKeys(prefix, account);
    this.#retentionDays = options.requestRetentionDays ?? 30;
    this.origin = source === undefined ? {} : { source };
    this.follower = new Follower({
      redis: this.#sender.redis,
      keys: this.#keys,
      run: commands => this.#sender.run(commands),
      connect: () => openRedis(address, 'hasty'),
    });
    this.#maxUnacknowledged = options.maxUnacknowledged ?? 50_000;
    this.#packMs = options.packMs ?? 2;
    this.#labels = openLabels(options.hubspot ?? {}, {
      redis: this.#sender.redis,
      connected: () => this.#sender.connected(),
      keys: this.#keys,
      tokenName,
    });
    this.typesOf = wish => this.#labels.resolver.typesOf(wish);
    this.#warner = new TypeWarner(
      options.onWarning ?? (warning => process.emitWarning(warning, { code: 'ASSOCIATION_TYPE' })),
    );
  }

  // Async, so that each caller has its own promise and error without a closure for each of 200,000 calls.
  async enqueue(given: AssociationInput, options?: EnqueueOptions): Promise<Receipt> {
    const way = options === undefined ? PLAIN : wayOf(options);
    if (this.#closed) throw new EnqueueError(new Error('the producer is closed'), [given]);
    const association = this.#given.read(given);
    if (association instanceof Faults) throw new InvalidAssociationError(association.list);
    const lot = saysTypes(association)
      ? this.#add(association, way)
      : await this.#addUntyped(association, way);
    try {
      await lot.settled;
    } catch (cause) {
      throw new EnqueueError(cause, [given]);
    }
    return lot.receipt;
  }

  async enqueueMany(items: Associations, options: EnqueueManyOptions = {}): Promise<Enqueued> {
    check(...enqueueManyProblems(items, options));
    const { priority = 'normal', request: { id, name, source = this.origin.source } = {} } = options;
    if (this.#closed) throw new EnqueueError(new Error('the producer is closed'), []);
    const request = this.#request({ id: id ?? randomUUID(), via: 'library', name, source, priority });
    const parts = { request, typesOf: this.typesOf, onLane: this.onLane };
    const origin = source === undefined ? {} : { source };
    return this.#watch(
      this.#reserve(request, id).then(() => enqueueMany(items, parts, origin, this.#maxUnacknowledged)),
    );
  }

  request(id: string): Promise<RequestView | undefined> {
    return this.follower.read(id);
  }

  async waitFor(id: string, options: FollowOptions = {}): Promise<RequestView> {
    check(...followProblems(options));
    return this.follower.waitFor(id, { signal: options.signal });
  }

  async cancel(id: string, options: FollowOptions = {}): Promise<Cancelled> {
    check(...followProblems(options));
    const { signal } = options;
    await this.#sender.connected();
    const { redis, replicas } = this.#sender;
    const parts = { redis, keys: this.#keys, replicas };
    try {
      const { cancelled, decided } = await cancelRequest(parts, id, userAtHost(), signal ? { signal } : {});
      return { cancelled, decided };
    } catch (error) {
      const isOurs = error instanceof UnknownRequestError || error instanceof SharedRequestError;
      throw isOurs ? error : this.#sender.failure(error);
    }
  }

  fileRequest(about: { id: string; name: string | undefined; priority: Priority }): RequestSender {
    return this.#request({ ...about, via: 'file', source: this.origin.source });
  }

  #request(about: Omit<NewRequest, 'retentionDays'>): RequestSender {
    return new RequestSender(this.#sender, this.#keys, { ...about, retentionDays: this.#retentionDays });
  }

  /** An id that the caller chose must be new; our own ids are. */
  async #reserve(request: RequestSender, id: string | undefined): Promise<void> {
    if (id === undefined) return;
    const { outcome } = await request.open({ how: 'new' }).catch((cause: unknown) => {
      throw new EnqueueError(cause, []);
    });
    check(outcome === 'opened' ? undefined : `request.id: there is a request ${id} already`);
  }

  connected(): Promise<void> {
    return this.#sender.connected();
  }

  async flush(): Promise<void> {
    await Promise.all(this.#lookups);
    for (const lot of [...this.#lots.values()]) lot.go();
    await Promise.all(this.#underWay);
  }

  close(): Promise<void> {
    this.#closed ??= this.flush().then(() => {
      this.#labels.close();
      this.follower.close();
      return this.#sender.close();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws InvalidAssociationError */
  #add(association: TypedAssociation, way: Way): Lot {
    const lot = this.#lots.get(way.lot) ?? this.#openLot(way);
    const job = lot.packer.add(association);
    if (!job) throw new InvalidAssociationError(associationFaults(association));
    if (lot.packer.isFull(job)) lot.full.push(job);
    lot.size += 1;
    const span = this.#sender.tracing.active();
    if (span) lot.callers.add(span);
    if (lot.size >= LOT_SIZE) lot.go();
    return lot;
  }

  /** Resolves the types first. Known types need no promise besides the caller's. */
  #addUntyped(association: Association, way: Way): Lot | Promise<Lot> {
    if (typeof association !== 'object' || association === null)
      throw new InvalidAssociationError(associationFaults(association));
    const resolved = this.typesOf(association);
    if (!(resolved instanceof Promise)) return this.#addResolved(association, resolved, way);
    const added = resolved.then(
      types => this.#addResolved(association, types, way),
      (cause: unknown) => {
        throw new EnqueueError(cause, [association]);
      },
    );
    watch(added, this.#lookups);
    return added;
  }

  #addResolved(association: Association, { types, fault }: Resolved, way: Way): Lot {
    if (fault !== undefined) throw new InvalidAssociationError(allFaults(association, fault));
    return this.#add(withTypes(association, types), way);
  }

  #openLot({ lot: key, priority, name }: Way): Lot {
    const requestId = name === undefined ? undefined : randomUUID();
    const request =
      requestId === undefined
        ? undefined
        : this.#request({
            id: requestId,
            via: 'library',
            name: name || undefined,
            source: this.origin.source,
            priority,
          });
    const origin = requestId === undefined ? this.origin : { ...this.origin, requestId };
    const packer = new Packer(origin, undefined, this.onLane);
    const full: Lot['full'] = [];
    const callers: Lot['callers'] = new Set();
    let go = () => {};
    const settled = new Promise<void>(resolve => {
      const timer = setTimeout(() => go(), this.#packMs);
      go = () => {
        clearTimeout(timer);
        this.#lots.delete(key);
        const jobs = [...full, ...packer.takeOpen()];
        const send = () => (request ? sendAll(request, jobs) : this.#sender.send(jobs, priority));
        resolve(jobs.length > 0 ? this.#sender.tracing.together(callers, send) : undefined);
      };
    });
    this.#watch(settled);
    const lot = { packer, full, size: 0, callers, settled, go, receipt: { requestId } };
    this.#lots.set(key, lot);
    return lot;
  }

  #watch<T>(work: Promise<T>): Promise<T> {
    watch(work, this.#underWay);
    return work;
  }
}

/** @throws ConfigError */
function wayOf(options: EnqueueOptions): Way {
  check(...enqueueProblems(options));
  const { priority = 'normal', request } = options;
  if (priority === 'normal' && !request) return PLAIN;
  const name = request && (request.name ?? '');
  return { lot: name === undefined ? priority : `${priority} ${name}`, priority, name };
}

/** Sends the jobs of a small request; the last ones end it. */
async function sendAll(request: RequestSender, jobs: readonly JobData[]): Promise<void> {
  const last = Math.max(0, jobs.length - JOBS_PER_BULK);
  const sends: Promise<void>[] = [];
  for (let at = 0; at < last; at += JOBS_PER_BULK)
    sends.push(request.send(jobs.slice(at, Math.min(last, at + JOBS_PER_BULK))));
  const failed = (await Promise.allSettled(sends)).find(send => send.status === 'rejected');
  if (failed) {
    await request.end({ ending: messageOf(failed.reason) }).catch(() => {}); // the callers hear of the failure
    throw failed.reason;
  }
  try {
    await request.send(jobs.slice(last), { ending: 'all' });
  } catch (error) {
    if (error instanceof PartlyEnqueued) await request.end({ ending: error.message }).catch(() => {});
    throw error;
  }
}

/** Keeps the promise in the set until it has settled. */
function watch(work: Promise<unknown>, underWay: Set<Promise<unknown>>): void {
  const settled = work.then(
    () => {},
    () => {},
  );
  underWay.add(settled);
  settled.then(() => underWay.delete(settled));
}
