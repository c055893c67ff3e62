/**
 * Enqueues any number of associations in constant memory.
 * Responsible for:
 *   1. reading no faster than Redis acknowledges: it keeps at most `maxUnacknowledged` associations in memory;
 *   2. full jobs: lanes stay open across bulks, and only the end of the input sends jobs that are not full;
 *   3. one error that states exactly what was not enqueued.
 * Not responsible for packing (packer.ts), for labels (labels/type-resolver.ts) or for Redis (sender.ts).
 */
import { allFaults, type Resolved, saysTypes, type TypesOf, withTypes } from '../labels/type-resolver.js';
import {
  type Association,
  associationFaults,
  type JobData,
  type TypedAssociation,
} from '../shared/contract/association.js';
import type { AssociationInput } from '../shared/contract/association-input.js';
import {
  EnqueueError,
  type EnqueueProgress,
  InvalidAssociationError,
  messageOf,
} from '../shared/contract/errors.js';
import type { Associations, Enqueued } from './api.js';
import { Faults, GivenReader } from './given.js';
import { type JobKind, type JobOrigin, Packer, unpack } from './packer.js';
import { PartlyEnqueued, type RequestSender, type Stand } from './request-sender.js';
import { JOBS_PER_BULK } from './sender.js';

/** After this many invalid items reading stops: the whole input is probably wrong, and the error stays bounded. */
export const MAX_INVALID_ITEMS = 1_000;

export type ManyParts = {
  /** the request that the items make up */
  readonly request: Pick<RequestSender, 'id' | 'start' | 'stop' | 'send' | 'end'>;
  readonly typesOf: TypesOf;
  /** called once for each object pair with its types */
  readonly onLane: (lane: JobKind) => void;
};

/** See Producer.enqueueMany. */
export async function enqueueMany(
  items: Associations,
  parts: ManyParts,
  origin: JobOrigin,
  maxUnacknowledged: number,
): Promise<Enqueued> {
  const run = new Run(parts, origin, maxUnacknowledged);
  let broke: { cause: unknown } | undefined;
  parts.request.start();
  try {
    // A synchronous iterable needs no promise per item.
    if (Symbol.iterator in items) {
      for (const item of items) if (!run.take(item) && !(await run.room())) break;
    } else {
      for await (const item of items) if (!run.take(item) && !(await run.room())) break;
    }
  } catch (cause) {
    broke = { cause };
  }
  try {
    await run.finish(broke); // also after the iterable threw: the items before must be enqueued
  } finally {
    parts.request.stop();
  }
  if (broke) throw broke.cause;
  return run.result();
}

const associationsIn = (jobs: readonly JobData[]): number =>
  jobs.reduce((sum, { pairs }) => sum + pairs.length, 0);

class Run {
  readonly #parts: ManyParts;
  readonly #maxUnacknowledged: number;
  readonly #packer: Packer;
  readonly #given = new GivenReader();
  #full: JobData[] = [];
  /** Sends that have not settled, oldest first; they do not reject. */
  readonly #sends = new Set<Promise<void>>();
  /** Valid associations that are neither acknowledged nor failed. */
  #held = 0;
  #read = 0;
  readonly #enqueued: Enqueued;
  readonly #faults: string[] = [];
  readonly #invalid: number[] = [];
  /** Why reading stopped. */
  #failure: { cause: unknown } | undefined;
  /** Why sending stopped: Redis did not acknowledge a job. */
  #sendFailure: { cause: unknown } | undefined;
  readonly #lost: JobData[] = [];
  /** The last item read, if its types could not be looked up. */
  readonly #unresolved: Association[] = [];
  /** The lookup of an item's types, while it runs; it does not reject. */
  #pending: Promise<void> | undefined;

  constructor(parts: ManyParts, origin: JobOrigin, maxUnacknowledged: number) {
    this.#parts = parts;
    this.#maxUnacknowledged = maxUnacknowledged;
    const requestId = parts.request.id;
    this.#packer = new Packer({ ...origin, requestId }, undefined, parts.onLane);
    this.#enqueued = { requestId, associations: 0, jobs: 0 };
  }

  /** @returns true if the next item may be taken at once; otherwise await {@link room} */
  take(given: AssociationInput): boolean {
    const index = this.#read++;
    const association = this.#given.read(given);
    if (association instanceof Faults) return this.#refuse(association.list, index);
    return this.#takeNamed(association, index);
  }

  #takeNamed(item: Association, index: number): boolean {
    if (saysTypes(item)) return this.#pack(item, index);
    if (typeof item !== 'object' || item === null) return this.#refuse(associationFaults(item), index);
    const resolved = this.#parts.typesOf(item);
    if (!(resolved instanceof Promise)) return this.#packResolved(item, resolved, index);
    this.#pending = this.#packWhenResolved(item, resolved, index);
    return false;
  }

  #packResolved(item: Association, { types, fault }: Resolved, index: number): boolean {
    if (fault === undefined) return this.#pack(withTypes(item, types), index);
    return this.#refuse(allFaults(item, fault), index);
  }

  async #packWhenResolved(item: Association, resolved: Promise<Resolved>, index: number): Promise<void> {
    try {
      this.#packResolved(item, await resolved, index);
    } catch (cause) {
      this.#failure ??= { cause };
      this.#unresolved.push(item);
    }
    this.#pending = undefined;
  }

  #refuse(faults: readonly string[], index: number): boolean {
    this.#invalid.push(index);
    this.#faults.push(`item ${index}: ${faults.join(', ')}`);
    return this.#invalid.length < MAX_INVALID_ITEMS;
  }

  #pack(item: TypedAssociation, index: number): boolean {
    const job = this.#packer.add(item);
    if (!job) return this.#refuse(associationFaults(item), index);
    this.#held += 1;
    if (this.#packer.isFull(job)) {
      this.#full.push(job);
      if (this.#full.length >= JOBS_PER_BULK) this.#dispatch();
    }
    return this.#held < this.#maxUnacknowledged && !this.#failure;
  }

  /** Waits until there is room. @returns false if reading must stop */
  async room(): Promise<boolean> {
    await this.#pending;
    while (this.#held >= this.#maxUnacknowledged && !this.#failure) {
      if (this.#sends.size === 0) this.#dispatch(this.#packer.takeOpen());
      const [oldest] = this.#sends;
      await oldest;
    }
    return !this.#failure && this.#invalid.length < MAX_INVALID_ITEMS;
  }

  /** Sends the rest. The last bulk also ends the request, so that a small input needs one step. */
  async finish(broke?: { readonly cause: unknown }): Promise<void> {
    await this.#pending;
    await Promise.all(this.#sends);
    const rest = [...this.#full, ...this.#packer.takeOpen()];
    this.#full = rest.slice(0, -JOBS_PER_BULK);
    this.#dispatch();
    await Promise.all(this.#sends);
    const last = rest.slice(-JOBS_PER_BULK);
    if (last.length > 0) await this.#sendBulk(last, this.#stand(broke));
    if (last.length === 0 || this.#failure) await this.#end(broke);
    if (!this.#failure) return;
    throw new EnqueueError(
      this.#failure.cause,
      [...this.#lost.flatMap(unpack), ...this.#unresolved],
      this.#progress,
      this.#invalid.length > 0 ? this.#invalidError() : undefined,
    );
  }

  result(): Enqueued {
    if (this.#invalid.length > 0) throw this.#invalidError();
    return this.#enqueued;
  }

  /** Says in the record how it ended. A failure that the caller hears of anyway needs no second error. */
  async #end(broke: { readonly cause: unknown } | undefined): Promise<void> {
    try {
      await this.#parts.request.end(this.#stand(broke));
    } catch (cause) {
      this.#failure ??= { cause };
    }
  }

  #stand(broke: { readonly cause: unknown } | undefined): Stand & { ending: string } {
    const failure = this.#failure ?? broke;
    const isStopped = this.#invalid.length >= MAX_INVALID_ITEMS;
    const reason = isStopped ? `reading stopped after ${MAX_INVALID_ITEMS} invalid items` : undefined;
    return {
      refused: this.#invalid.length,
      ending: failure ? messageOf(failure.cause) || 'an error without words' : (reason ?? 'all'),
    };
  }

  #dispatch(open: readonly JobData[] = []): void {
    const jobs = [...this.#full, ...open];
    this.#full = [];
    for (let at = 0; at < jobs.length; at += JOBS_PER_BULK) {
      const sent = this.#sendBulk(jobs.slice(at, at + JOBS_PER_BULK));
      this.#sends.add(sent);
      sent.then(() => this.#sends.delete(sent));
    }
  }

  async #sendBulk(jobs: JobData[], stand?: Stand): Promise<void> {
    const associations = associationsIn(jobs);
    let missing: readonly JobData[] = [];
    try {
      if (this.#sendFailure) throw this.#sendFailure.cause; // send nothing after a failure, so that little is sent twice
      await this.#parts.request.send(jobs, stand);
    } catch (cause) {
      this.#sendFailure ??= { cause };
      this.#failure ??= { cause };
      missing = cause instanceof PartlyEnqueued ? cause.missing : jobs;
    }
    this.#lost.push(...missing);
    this.#enqueued.associations += associations - associationsIn(missing);
    this.#enqueued.jobs += jobs.length - missing.length;
    this.#held -= associations;
  }

  get #progress(): EnqueueProgress {
    return { enqueued: { ...this.#enqueued }, read: this.#read };
  }

  #invalidError(): InvalidAssociationError {
    return new InvalidAssociationError(this.#faults, this.#invalid, this.#progress);
  }
}
