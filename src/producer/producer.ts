/**
 * The producer library: enqueues associations.
 * Responsible for:
 *   1. packing calls of `enqueue` that are made within a few milliseconds into one bulk (a lot), as DataLoader does;
 *   2. resolving a call only when Redis has acknowledged its association;
 *   3. telling every caller of a failed lot what happened to its association.
 * Not responsible for packing into jobs (packer.ts), long inputs (enqueue-many.ts), or Redis (sender.ts).
 */
import type { Span } from '@opentelemetry/api';
import { type HubSpotOptions, hubspotProblems, type Labels, openLabels } from '../labels/open-labels.js';
import { allFaults, type Resolved, saysTypes, type TypesOf, withTypes } from '../labels/type-resolver.js';
import { TypeWarner } from '../labels/type-warnings.js';
import {
  type Association,
  associationFaults,
  type JobData,
  type TypedAssociation,
} from '../shared/contract/association.js';
import { hasOwnNames, understand } from '../shared/contract/association-fields.js';
import { ConfigError, EnqueueError, InvalidAssociationError } from '../shared/contract/errors.js';
import { accountKeys, DEFAULT_ACCOUNT, type Priority, priorityProblem } from '../shared/contract/keys.js';
import { redisUrlFault } from '../shared/runtime/redis-url.js';
import { type Associations, type Enqueued, enqueueMany } from './enqueue-many.js';
import { type JobKind, type JobOrigin, Packer } from './packer.js';
import { Sender } from './sender.js';
import { textProblem } from './text-problem.js';

export type ProducerOptions = {
  /** `redis://…`, or `rediss://…` for TLS */
  redisUrl: string;
  /** QUEUE_PREFIX of the worker; default `bull` */
  prefix?: string;
  /** HubSpot account of the associations; default `default` */
  account?: string;
  /** free text in every job that says who enqueued it; at most 200 characters */
  source?: string;
  /** most unacknowledged associations of one `enqueueMany`; it reads on when Redis acknowledges some; default 50,000 */
  maxUnacknowledged?: number;
  /** milliseconds that `enqueue` waits for further calls to share a job; default 2 */
  packMs?: number;
  /** how to look up labels; without it, a label resolves only if another process has put the labels into Redis */
  hubspot?: HubSpotOptions;
  /**
   * called once for each type that HubSpot's guide lists for another object pair or direction, or not at all, with the
   * types that it lists. The association is enqueued nevertheless. Default: process.emitWarning
   */
  onWarning?: (warning: string) => void;
};

export type EnqueueOptions = {
  /** `high`: goes in the next call, before everything that waits; for associations that a person waits for. Default `normal` */
  priority?: Priority;
};

export type Producer = {
  /**
   * Enqueues one association; many concurrent calls share jobs. Resolves when Redis has acknowledged it.
   * Unacknowledged calls take about 650 bytes each, so use `enqueueMany` for an unbounded number.
   * Without types and label, HubSpot's unlabelled type of the object pair applies.
   * @throws ConfigError if an option is invalid
   * @throws InvalidAssociationError with every fault, and for an unknown label the known ones; nothing was enqueued
   * @throws EnqueueError if Redis is unreachable (within about 2 s) or refuses, or if a label cannot be looked up
   *   (`cause` is a LabelLookupError). Enqueue it again; enqueueing twice is harmless
   */
  enqueue(association: Association, options?: EnqueueOptions): Promise<void>;
  /**
   * Enqueues all items of an iterable of any length. Memory stays constant; it reads no faster than Redis acknowledges.
   * It skips invalid items and enqueues the others; after 1,000 invalid items it stops reading.
   * It sends a job when the job is full or the iterable ends: for a slow source call `enqueue`.
   * @param options.requestId stored in every job of this call; at most 200 characters
   * @returns the numbers of associations and of jobs that Redis has acknowledged
   * @throws InvalidAssociationError at the end if items were invalid: `indexes` of the skipped items, and
   *   `progress.read`, the index of the first item that was not read
   * @throws EnqueueError if Redis is unreachable or refuses, or a label cannot be looked up. Not enqueued are its
   *   `associations`, the items from index `progress.read` on, and those of `invalid`
   * @throws whatever the iterable throws, after the items before are enqueued
   */
  enqueueMany(items: Associations, options?: EnqueueOptions & { requestId?: string }): Promise<Enqueued>;
  /** Resolves when Redis answers. @throws Error with the reason if it does not, within about 2 s */
  connected(): Promise<void>;
  /** Sends waiting associations at once; resolves when every earlier call has settled. Does not reject. */
  flush(): Promise<void>;
  /** Refuses new calls, waits for pending ones, disconnects. May be called twice. */
  close(): Promise<void>;
};

/** Calls of `enqueue` that are sent together. */
type Lot = {
  packer: Packer;
  full: ReturnType<Packer['takeOpen']>;
  size: number;
  /** the callers' spans, if they are traced */
  callers: Set<Span>;
  settled: Promise<void>;
  go: () => void;
};

/** Most associations of a lot: 40 full jobs, or more jobs if there are more lanes. */
const LOT_SIZE = 20_000;

/** Does not connect; the first call does. @throws ConfigError with every invalid option */
export const createProducer = (options: ProducerOptions): Producer => openProducer(options);

/** For the command line, which also resolves types itself to refuse lines before they are enqueued. */
export function openProducer(options: ProducerOptions): Producer & { readonly typesOf: TypesOf } {
  const problems = optionProblems(options);
  if (problems.length > 0) throw new ConfigError(problems);
  return new QueueProducer(options);
}

class QueueProducer implements Producer {
  readonly #sender: Sender;
  readonly #origin: JobOrigin;
  readonly #maxUnacknowledged: number;
  readonly #packMs: number;
  readonly #labels: Labels;
  readonly #warner: TypeWarner;
  readonly typesOf: TypesOf;
  readonly #lots = new Map<Priority, Lot>();
  /** All pending work; these promises do not reject. */
  readonly #underWay = new Set<Promise<unknown>>();
  /** Calls of `enqueue` that wait for a lookup of types and have no lot yet. */
  readonly #lookups = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(options: ProducerOptions) {
    const { redisUrl, prefix = 'bull', account = DEFAULT_ACCOUNT, source } = options;
    this.#sender = new Sender(redisUrl, prefix, account);
    this.#origin = source === undefined ? {} : { source };
    this.#maxUnacknowledged = options.maxUnacknowledged ?? 50_000;
    this.#packMs = options.packMs ?? 2;
    this.#labels = openLabels(options.hubspot ?? {}, {
      redis: this.#sender.redis,
      connected: () => this.#sender.connected(),
      keys: accountKeys(prefix, account),
    });
    this.typesOf = wish => this.#labels.resolver.typesOf(wish);
    this.#warner = new TypeWarner(
      options.onWarning ?? (warning => process.emitWarning(warning, { code: 'ASSOCIATION_TYPE' })),
    );
  }

  // Async, so that each caller has its own promise and error without a closure for each of 200,000 calls.
  async enqueue(given: Association, options?: EnqueueOptions): Promise<void> {
    const priority = options?.priority ?? 'normal';
    if (priority !== 'normal') check(priorityProblem(priority));
    if (this.#closed) throw new EnqueueError(new Error('the producer is closed'), [given]);
    const association = hasOwnNames(given) ? given : understoodOr(given);
    const lot = saysTypes(association)
      ? this.#add(association, priority)
      : await this.#addUntyped(association, priority);
    try {
      await lot.settled;
    } catch (cause) {
      throw new EnqueueError(cause, [given]);
    }
  }

  async enqueueMany(
    items: Associations,
    options: EnqueueOptions & { requestId?: string } = {},
  ): Promise<Enqueued> {
    const { requestId, priority = 'normal' } = options;
    check(
      requestId === undefined ? undefined : textProblem('requestId', requestId),
      priorityProblem(priority),
    );
    if (this.#closed) throw new EnqueueError(new Error('the producer is closed'), []);
    const origin = requestId === undefined ? this.#origin : { ...this.#origin, requestId };
    const parts = {
      send: (jobs: readonly JobData[]) => this.#sender.send(jobs, priority),
      typesOf: this.typesOf,
      onLane: (lane: JobKind) => this.#warner.check(lane),
    };
    return this.#watch(enqueueMany(items, parts, origin, this.#maxUnacknowledged));
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
      return this.#sender.close();
    });
    return this.#closed;
  }

  /** @throws InvalidAssociationError */
  #add(association: TypedAssociation, priority: Priority): Lot {
    const lot = this.#lots.get(priority) ?? this.#openLot(priority);
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
  #addUntyped(association: Association, priority: Priority): Lot | Promise<Lot> {
    if (typeof association !== 'object' || association === null)
      throw new InvalidAssociationError(associationFaults(association));
    const resolved = this.typesOf(association);
    if (!(resolved instanceof Promise)) return this.#addResolved(association, resolved, priority);
    const added = resolved.then(
      types => this.#addResolved(association, types, priority),
      (cause: unknown) => {
        throw new EnqueueError(cause, [association]);
      },
    );
    watch(added, this.#lookups);
    return added;
  }

  #addResolved(association: Association, { types, fault }: Resolved, priority: Priority): Lot {
    if (fault !== undefined) throw new InvalidAssociationError(allFaults(association, fault));
    return this.#add(withTypes(association, types), priority);
  }

  #openLot(priority: Priority): Lot {
    const packer = new Packer(this.#origin, undefined, lane => this.#warner.check(lane));
    const full: Lot['full'] = [];
    const callers: Lot['callers'] = new Set();
    let go = () => {};
    const settled = new Promise<void>(resolve => {
      const timer = setTimeout(() => go(), this.#packMs);
      go = () => {
        clearTimeout(timer);
        this.#lots.delete(priority);
        const jobs = [...full, ...packer.takeOpen()];
        const send = () => this.#sender.send(jobs, priority);
        resolve(jobs.length > 0 ? this.#sender.tracing.together(callers, send) : undefined);
      };
    });
    this.#watch(settled);
    const lot = { packer, full, size: 0, callers, settled, go };
    this.#lots.set(priority, lot);
    return lot;
  }

  #watch<T>(work: Promise<T>): Promise<T> {
    watch(work, this.#underWay);
    return work;
  }
}

/** @throws InvalidAssociationError */
function understoodOr(given: Association): Association {
  const { association, faults } = understand(given);
  if (faults) throw new InvalidAssociationError(faults);
  return association;
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

function optionProblems(options: ProducerOptions): string[] {
  const problems: (string | undefined)[] = [];
  const { maxUnacknowledged = 1, packMs = 0, source, prefix = 'bull', account = DEFAULT_ACCOUNT } = options;
  const badUrl = redisUrlFault(options.redisUrl);
  if (badUrl) problems.push(`redisUrl ${badUrl}`);
  if (prefix === '') problems.push('prefix is empty');
  if (!/^[\w.-]+$/.test(account))
    problems.push(`account: ${JSON.stringify(account)} is not a name (letters, digits, - _ .)`);
  if (source !== undefined) problems.push(textProblem('source', source));
  if (options.hubspot !== undefined) problems.push(...hubspotProblems(options.hubspot));
  if (!Number.isInteger(maxUnacknowledged) || maxUnacknowledged < 1)
    problems.push(`maxUnacknowledged: ${maxUnacknowledged} is not a positive integer`);
  if (!(packMs >= 0 && packMs <= 10_000)) problems.push(`packMs: ${packMs} is not between 0 and 10000`);
  return problems.filter(problem => problem !== undefined);
}

function check(...problems: (string | undefined)[]): void {
  const found = problems.filter(problem => problem !== undefined);
  if (found.length > 0) throw new ConfigError(found);
}
