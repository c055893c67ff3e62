/**
 * Enqueues the lines of a file as one request, in constant memory.
 * Responsible for:
 *   1. cuts: each bulk has everything up to a line, full jobs and the open ones of all lanes, and is in the queue and counted
 *      in one step together with that line. So the request's record says exactly from which line to go on, whenever this
 *      process dies;
 *   2. one cut in flight while the next is read;
 *   3. the end of the request, or why it stops early.
 * Not responsible for reading lines (read-associations.ts), nor for the record (request-sender.ts).
 */

import type { JobData } from '../../shared/contract/association.js';
import { counted } from '../../shared/contract/counted.js';
import { ConfigError, messageOf, RequestCancelledError } from '../../shared/contract/errors.js';
import type { Packer } from '../packer.js';
import { PartlyEnqueued, type RequestSender, type Stand } from '../request-sender.js';
import type { Chunk } from './read-associations.js';

/** Associations of a cut: ten full jobs of one lane. Larger ones were no faster and took 10 MB more for each 5,000. */
const CUT_SIZE = 5_000;
/** Jobs of a cut, if lines of many object pairs alternate: Redis adds them in one step, about 20 µs each. */
const MOST_JOBS = 500;

export type Imported = {
  readonly requestId: string;
  /** in the queue and counted, earlier runs of the same request included */
  readonly associations: number;
  readonly jobs: number;
  /** lines */
  readonly refused: number;
  /** the import ended early: everything up to this line is enqueued or refused, and nothing after it */
  readonly interrupted?: Interruption & { readonly upTo: number };
};
/** Why an import ended early. */
export type Interruption = {
  readonly reason: string;
  /** somebody has cancelled the request, so that nothing goes on */
  readonly isCancelled?: boolean;
};
/** `refused` lines; without a request if nothing is enqueued. */
export type ImportEnd = Imported | { readonly refused: number; readonly interrupted?: Interruption };
/** Where a run begins: at zero, or where an earlier one of the same request was interrupted. */
export type Begin = Pick<Imported, 'associations' | 'jobs' | 'refused'> & { readonly line: number };

export type EnqueueLinesParts = {
  readonly request: Pick<RequestSender, 'id' | 'start' | 'stop' | 'send' | 'end'>;
  readonly packer: Packer;
  /** aborted by Ctrl-C or SIGTERM; the reason is a text for people */
  readonly signal: AbortSignal;
  readonly onChunk: (chunk: Chunk, associations: number) => void;
};

/**
 * @param begin where to begin; undefined: the request is not opened. Asked when the first chunk has come, or will not come
 * @throws ConfigError if the whole input is unusable
 */
export async function enqueueLines(
  chunks: AsyncIterable<Chunk>,
  begin: () => Begin | undefined,
  parts: EnqueueLinesParts,
): Promise<ImportEnd> {
  const start = (): Run | undefined => {
    const begun = begin();
    return begun && new Run(parts, begun);
  };
  let run: Run | undefined;
  let broke: string | undefined;
  try {
    for await (const chunk of chunks) {
      run ??= start();
      if (!run) break; // no chunk comes before the request is opened
      await run.take(chunk);
      parts.onChunk(chunk, run.associations);
      if (run.failure !== undefined || parts.signal.aborted) break;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    broke = messageOf(error);
  }
  const reason = parts.signal.aborted ? String(parts.signal.reason) : broke;
  // also without a line: the record says why, and that somebody may go on
  run ??= start();
  return run ? run.finish(reason) : { refused: 0, interrupted: { reason: reason ?? 'there are no lines' } };
}

class Run {
  readonly #parts: EnqueueLinesParts;
  readonly #done: { associations: number; jobs: number; refused: number; line: number };
  #full: JobData[] = [];
  /** of the cut that is being filled */
  #associations = 0;
  #jobs = 0;
  /** everything up to this line has been read */
  #readUpTo: number;
  #refused: number;
  #sending: Promise<void> = Promise.resolve();
  #failure: string | undefined;
  #isCancelled = false;
  /** the record says how it ended */
  #isEnded = false;

  constructor(parts: EnqueueLinesParts, begin: Begin) {
    this.#parts = parts;
    this.#done = { ...begin };
    this.#readUpTo = begin.line;
    this.#refused = begin.refused;
    parts.request.start();
  }

  get associations(): number {
    return this.#done.associations;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  async take({ associations, lines, refusals, upTo }: Chunk): Promise<void> {
    const { packer } = this.#parts;
    let refused = 0;
    for (const [index, association] of associations.entries()) {
      const line = lines[index] ?? 0;
      const job = packer.add(association);
      if (!job) throw new Error(`line ${line} was found valid and could not be packed`);
      if (job.pairs.length === 1) this.#jobs += 1;
      if (packer.isFull(job)) this.#full.push(job);
      this.#associations += 1;
      const next = lines[index + 1] ?? upTo + 1;
      if (next <= line || (this.#associations < CUT_SIZE && this.#jobs < MOST_JOBS)) continue;
      while ((refusals[refused]?.line ?? next) < next) refused += 1;
      this.#readUpTo = next - 1;
      await this.#cut(this.#refused + refused);
    }
    this.#refused += refusals.length;
    this.#readUpTo = Math.max(this.#readUpTo, upTo);
  }

  /** @param reason why it ends early; undefined: everything was read */
  async finish(reason: string | undefined): Promise<Imported> {
    const { request } = this.#parts;
    if (this.#associations > 0) await this.#cut(this.#refused, reason ?? 'all');
    await this.#sending;
    try {
      if (!this.#isEnded) await this.#end(this.#failure ?? reason ?? 'all');
    } catch (error) {
      this.#fail(error);
    } finally {
      request.stop();
    }
    const { associations, jobs, refused, line } = this.#done;
    const early = this.#failure ?? reason;
    return {
      ...{ requestId: request.id, associations, jobs, refused },
      ...(early !== undefined && {
        interrupted: { upTo: line, reason: early, ...(this.#isCancelled && { isCancelled: true }) },
      }),
    };
  }

  #fail(error: unknown): void {
    this.#failure ??= messageOf(error);
    this.#isCancelled ||= error instanceof RequestCancelledError;
  }

  async #end(ending: string): Promise<void> {
    const { request } = this.#parts;
    // whether the cut that failed is in the queue, only the record knows: its line came with the jobs
    if (this.#failure !== undefined) return request.end({ ending });
    const [line, refused] = [this.#readUpTo, this.#refused];
    await request.end({ line, refused, ending });
    this.#done.line = line;
    this.#done.refused = refused;
  }

  async #cut(refused: number, ending?: string): Promise<void> {
    const jobs = [...this.#full, ...this.#parts.packer.takeOpen()];
    const stand = { line: this.#readUpTo, refused, ...(ending !== undefined && { ending }) };
    const associations = this.#associations;
    this.#full = [];
    this.#associations = 0;
    this.#jobs = 0;
    await this.#sending;
    if (this.#failure !== undefined) return;
    this.#sending = this.#send(jobs, stand).then(
      () => {
        this.#done.associations += associations;
        this.#done.jobs += jobs.length;
        this.#done.refused = refused;
        this.#done.line = stand.line;
        this.#isEnded = ending !== undefined;
      },
      (error: unknown) => {
        this.#fail(error);
        if (!(error instanceof PartlyEnqueued)) return;
        const inQueue = associations - associationsIn(error.missing);
        this.#done.associations += inQueue;
        this.#done.jobs += jobs.length - error.missing.length;
        // a later run cannot know which jobs of this cut are there
        const twice = `${error.areAbsent ? '' : 'at least '}${counted(inQueue, 'association')} twice`;
        this.#failure += `; whoever enqueues the lines after ${this.#done.line} again enqueues ${twice}: the request counts both, and HubSpot takes them as one`;
      },
    );
  }

  /** What Redis did not take of a cut is sent once more, alone and under other ids: the rest is in the queue and counted. */
  async #send(jobs: readonly JobData[], stand: Stand): Promise<void> {
    const { request } = this.#parts;
    try {
      await request.send(jobs, stand);
    } catch (error) {
      if (!(error instanceof PartlyEnqueued) || !error.areAbsent) throw error;
      const { missing } = error;
      await request.send(missing, stand).catch((again: unknown) => {
        if (again instanceof RequestCancelledError) throw again;
        const [left, areAbsent, reason] =
          again instanceof PartlyEnqueued
            ? [again.missing, again.areAbsent, again.reason]
            : [missing, false, messageOf(again)];
        throw new PartlyEnqueued(left, areAbsent, jobs.length, reason);
      });
    }
  }
}

const associationsIn = (jobs: readonly JobData[]): number =>
  jobs.reduce((sum, { pairs }) => sum + pairs.length, 0);
