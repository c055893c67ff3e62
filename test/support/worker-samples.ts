/** Inputs, batches and answers for tests of the worker's parts. */

import type { Answer } from '../../src/hubspot/classify.js';
import type { AssociationType, JobData, Pair } from '../../src/shared/contract/association.js';
import { JobReader, type ReadJob } from '../../src/shared/contract/job-text.js';
import { Pairs } from '../../src/shared/contract/pairs.js';
import type { Batch } from '../../src/worker/batches/batch.js';
import { type Columns, indexes, pairAt } from '../../src/worker/batches/columns.js';
import { Lanes } from '../../src/worker/batches/lanes.js';
import type { Outcome } from '../../src/worker/batches/outcome.js';
import type { Terms } from '../../src/worker/batches/schedule.js';
import type { Submission } from '../../src/worker/batches/submission.js';
import { reconcile } from '../../src/worker/calls/reconcile.js';
import type { Ledger, LedgerEntry } from '../../src/worker/jobs/ledger.js';
import { CONTACT_TO_COMPANY } from './samples.js';

const TYPES = [CONTACT_TO_COMPANY];
export const AT = '2026-03-01T12:00:00.000Z';

/** An input as one object. */
export type Input = {
  readonly from: string;
  readonly to: string;
  readonly types: readonly AssociationType[];
};
export const inputOf = (from: string, to: string, types: readonly AssociationType[] = TYPES): Input => ({
  from,
  to,
  types,
});

/** The same as columns, told a second time. */
export function columnsOf(inputs: readonly Input[]): Columns {
  const texts: string[] = [];
  const lists = [...new Set(inputs.map(({ types }) => types))];
  const numberOf = (id: string): number => {
    if (/^(0|[1-9]\d{0,14})$/.test(id)) return Number(id);
    if (!texts.includes(id)) texts.push(id);
    return -1 - texts.indexOf(id);
  };
  return {
    size: inputs.length,
    ids: Float64Array.from(inputs.flatMap(({ from, to }) => [numberOf(from), numberOf(to)])),
    texts,
    types: lists,
    typeAt: Uint32Array.from(inputs.map(({ types }) => lists.indexOf(types))),
  };
}
export const inputsIn = (columns: Columns): Input[] =>
  Array.from({ length: columns.size }, (_, input) => {
    const [from, to] = pairAt(columns, input);
    return inputOf(from, to, columns.types[columns.typeAt[input] as number]);
  });

type ObjectPair = { readonly fromObjectType: string; readonly toObjectType: string };

/** {@link reconcile} in objects. */
export function reconcileInputs(
  answer: HttpAnswer,
  accepted: boolean,
  { inputs, ...objectPair }: ObjectPair & { readonly inputs: readonly Input[] },
) {
  const call = { ...objectPair, columns: columnsOf(inputs), inputs: indexes(inputs.length) };
  const found = reconcile(answer, accepted, call);
  const objects = (some: readonly number[]) => some.map(at => inputs[at] as Input);
  return {
    ...found,
    created: objects(found.created),
    named: found.named.map(one => ({ ...one, input: inputs[one.input] as Input })),
    rest: objects(found.rest),
    suspects: objects(found.suspects),
  };
}

/** A job's data as its reader sees them. */
export function readOf(data: JobData): ReadJob {
  const read = new JobReader().read(JSON.stringify(data));
  if ('faults' in read) throw new Error(read.faults.join());
  return read;
}

/** `count` inputs whose ids are all different: 1 → 100001, 2 → 100002 … */
export const pairsOf = (count: number): Pair[] =>
  Array.from({ length: count }, (_, index): Pair => [String(index + 1), String(100_001 + index)]);
export const inputsOf = (count: number): Input[] => pairsOf(count).map(([from, to]) => inputOf(from, to));

export type HttpAnswer = Answer & { kind: 'answer' };
export const answerOf = (status: number, body: unknown, retryAfterMs?: number): HttpAnswer => {
  const correlationId = (body as { correlationId?: string } | undefined)?.correlationId;
  return {
    kind: 'answer',
    at: AT,
    status,
    body,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(correlationId && { correlationId }),
  };
};

/** HubSpot's answer that lists these inputs as created, with numbers for ids as in life. */
export const createdBody = (inputs: readonly Pick<Input, 'from' | 'to'>[], more: object = {}) => ({
  status: 'COMPLETE',
  results: inputs.map(({ from, to }) => ({
    fromObjectTypeId: '0-1',
    fromObjectId: Number(from),
    toObjectTypeId: '0-2',
    toObjectId: Number(to),
    labels: [],
  })),
  ...more,
});

/** A submission whose outcomes no test awaits yet. */
export type Sample = Omit<Submission, 'onOutcomes'>;

/** @returns one outcome per pair, by position, once all of them have one */
export const submitTo = (lanes: Pick<Lanes, 'submit'>, submission: Sample): Promise<readonly Outcome[]> =>
  new Promise(onOutcomes => lanes.submit(Object.assign(submission, { onOutcomes })));

/** Lanes with the settings and the clock of a test. */
export class SampleLanes extends Lanes {
  readonly #terms: { lingerMs: number; highLingerMs: number };
  #now: { ms: number };
  #isFlushed = false;
  /** how often a lane became ready earlier than known before */
  changes = 0;

  constructor(maxInputs: number, terms: { lingerMs: number; highLingerMs?: number } = { lingerMs: 0 }) {
    const now = { ms: 0 };
    super({ maxInputs, now: () => now.ms, replica: 'w' });
    this.#now = now;
    this.#terms = { highLingerMs: terms.lingerMs, ...terms };
  }

  get now(): number {
    return this.#now.ms;
  }
  pass(ms: number): void {
    this.#now.ms += ms;
  }
  /** From now on every lane is ready. */
  flush(): void {
    this.#isFlushed = true;
  }
  override submit(submission: Submission): boolean {
    const isNews = super.submit(submission);
    if (isNews) this.changes += 1;
    return isNews;
  }
  nextOne(partialsToo = true): { full: boolean } | undefined {
    return this.next(this.#allows(partialsToo));
  }
  sealOne(partialsToo = true): Batch | undefined {
    return this.seal(this.#allows(partialsToo));
  }
  nextLinger(): number | undefined {
    return this.lingersUntil(this.#allows(true));
  }
  #allows(partialsToo: boolean): Terms {
    return { ...this.#terms, isFlushed: this.#isFlushed, partialsToo };
  }
}

/** Settles the same entry with each script. @returns true if the job was ours */
export const settleIn = (
  ledger: Pick<Ledger, 'settle'>,
  entry: Partial<LedgerEntry> & Pick<LedgerEntry, 'jobId' | 'token'>,
): Promise<boolean> =>
  new Promise((resolve, reject) =>
    ledger.settle({
      ...{ data: undefined, created: 0, rejected: 0, retried: 0, batches: '', isSimple: false },
      ...entry,
      onSettled: ours => (typeof ours === 'boolean' ? resolve(ours) : reject(ours)),
    }),
  );

export type SampleJob = { readonly pairs: readonly Pair[]; readonly types?: readonly AssociationType[] };
export type OpenBatch = {
  readonly batch: Batch;
  /** per job, one outcome per pair; resolves when all have one */
  readonly outcomes: readonly Promise<readonly Outcome[]>[];
};

/** One sealed batch of these jobs, as the dispatcher passes it to the delivery. */
export function openBatch(jobs: readonly SampleJob[], objectPair = 'contacts/companies'): OpenBatch {
  const [fromObjectType = '', toObjectType = ''] = objectPair.split('/');
  const lanes = new SampleLanes(2_000);
  const outcomes = jobs.map(({ pairs, types = TYPES }) =>
    submitTo(lanes, { fromObjectType, toObjectType, types, pairs: Pairs.of(pairs), suspicion: 0 }),
  );
  lanes.flush();
  const batch = lanes.sealOne();
  if (!batch || lanes.size > 0) throw new Error('the jobs do not make one batch');
  return { batch, outcomes };
}
