/**
 * Dispatcher: drives the pipeline by pulling. While no lane is full, it takes jobs from the intake and lets the processor open
 * them. When a lane is ready, it passes the gate (slot, permit), seals the batch and gives it to the delivery. It seals a
 * batch only with a slot and a permit in hand, so that batches are full while permits are scarce, and contain associations of
 * high priority that arrived in the meantime. It runs once for first-timers and once for suspects; the gate decides which
 * line goes next. flow.ts decides how much is opened and how long a lane waits.
 */
import { setMaxListeners } from 'node:events';
import type { Quota } from '../hubspot/quota.js';
import { typesText } from '../shared/contract/association.js';
import { messageOf } from '../shared/contract/errors.js';
import type { Logger } from '../shared/runtime/logger.js';
import { type Notifier, sleep } from '../shared/runtime/wait.js';
import { type Batch, namesOf } from './batches/batch.js';
import type { Lanes } from './batches/lanes.js';
import { type Hold, type Outcome, SHUTTING_DOWN, TAKEN_BACK } from './batches/outcome.js';
import type { Terms } from './batches/schedule.js';
import { LINES, type Line, lineOf, type Submission } from './batches/submission.js';
import type { Delivery, DeliveryReport } from './calls/delivery.js';
import type { Entry, Gate, Turn } from './calls/gate.js';
import type { Flow } from './flow.js';
import type { Intake } from './jobs/intake.js';
import type { Processor } from './jobs/processor.js';

export type DispatcherParts = {
  readonly intake: Pick<Intake, 'take' | 'fetchHigh' | 'lookForRoom'>;
  readonly processor: Pick<Processor, 'open'>;
  readonly lanes: Lanes;
  readonly flow: Flow;
  /** ids of requests that people take back */
  readonly cancelled: ReadonlySet<string>;
  readonly quota: Pick<Quota, 'release' | 'holdsPairs' | 'heldPair' | 'recordsOf' | 'probePairs'>;
  readonly gate: Pick<Gate, 'pass'>;
  readonly delivery: Pick<Delivery, 'deliver'>;
  /** notified when there may be something to open or to seal; the dispatcher waits for it */
  readonly work: Notifier;
  readonly report: BatchReport;
  readonly logger: Logger;
};

/** Receives delivered batches. */
export type BatchReport = { batch(batch: Batch, report: DeliveryReport, ms: number): void };

const ASK_AGAIN_MS = 1_000;
/** Suspects without room come back after this time, and up to twice as late. */
const ROOM_AGAIN_MS = 5_000;

export class Dispatcher {
  readonly #stop = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();
  #running: Promise<unknown> = Promise.resolve();
  /** partial batches are paced until then (performance.now()) */
  #partialsFrom = 0;
  #flushing = false;

  constructor(private readonly parts: DispatcherParts) {
    // each call in flight and each wait listens to this signal
    setMaxListeners(0, this.#stop.signal);
  }

  start(): void {
    this.#running = Promise.all(LINES.map(line => this.#run(line)));
  }

  /** Sends all waiting pairs, however small the batches, because the process ends. */
  flush(): void {
    this.#flushing = true;
    this.parts.work.notify();
  }

  /** Aborts calls in flight and gives back everything without an outcome. */
  async abort(): Promise<void> {
    this.#stop.abort();
    this.parts.work.notify();
    this.parts.lanes.release(() => held(SHUTTING_DOWN));
    await this.#running;
    await Promise.all(this.#deliveries);
  }

  /** Gives back waiting pairs of cancelled requests. Sealed batches go. */
  giveBackCancelled(): void {
    this.parts.lanes.release(submission => this.#cancelledOutcome(submission));
  }

  async #run(line: Line): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#step(line);
      } catch (error) {
        // Redis refuses (read-only, full, busy): the pairs stay in their lanes
        this.parts.logger.error(
          { event: 'redis', error: messageOf(error) },
          'the worker could not ask for a permit; it tries again in a second',
        );
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** Opens jobs, or sends a batch, or waits. The line of the first-timers opens jobs for both lines. */
  async #step(line: Line): Promise<void> {
    const { flow, lanes } = this.parts;
    const isFirst = line === 'first';
    if (isFirst && flow.wantsHigh) return this.#fetchHigh();
    const ready = lanes.next(this.#terms(), [line]);
    if (isFirst && this.#open(ready?.full ?? false)) return;
    if (ready) await this.#round(line, ready.full);
    else await this.#untilReady(line);
  }

  /** Opens as many jobs as flow control allows. @returns whether there were any */
  #open(isFull: boolean): boolean {
    const { intake, processor, flow, work } = this.parts;
    const jobs = intake.take(flow.toOpen(isFull));
    let isNews = false;
    for (const job of jobs)
      for (const submission of processor.open(job)) isNews = this.#submit(submission) || isNews;
    if (isNews) work.notify(); // wakes the other line
    // jobs that are given back fill no call, however many are fetched
    const isTakenBack = this.parts.cancelled.size > 0;
    if (jobs.length === 0 && !isFull && !isTakenBack && flow.stretch()) intake.lookForRoom();
    return jobs.length > 0;
  }

  /** @returns true if a lane may be ready earlier than known before */
  #submit(submission: Submission): boolean {
    const outcome = this.#stop.signal.aborted
      ? held(SHUTTING_DOWN)
      : (this.#cancelledOutcome(submission) ?? this.#heldOutcome(submission) ?? this.#noRoomFor(submission));
    if (!outcome) return this.parts.lanes.submit(submission);
    submission.onOutcomes(new Array<Outcome>(submission.pairs.length).fill(outcome));
    return false;
  }

  /** If Redis refuses, the call goes without these jobs, and the next permit reports them again. */
  async #fetchHigh(): Promise<void> {
    const { intake, logger } = this.parts;
    try {
      await intake.fetchHigh();
    } catch (error) {
      logger.warn(
        { event: 'redis', error: messageOf(error) },
        'the worker could not fetch jobs of high priority; the next call tries again',
      );
    }
    this.#open(true);
  }

  /** Sends one batch in one turn. Leaves the slot when the first call has ended, or if there is no batch. */
  async #round(line: Line, full: boolean): Promise<void> {
    const size = full ? 'full' : this.#flushing ? 'urgent' : 'partial';
    const entry = await this.parts.gate.pass(line, size, this.#stop.signal);
    let batch: Batch | undefined;
    try {
      batch = await this.#seal(line, entry);
    } finally {
      if (!batch && entry.kind === 'turn') entry.leave();
    }
    if (batch && entry.kind === 'turn') this.#deliver(batch, entry);
  }

  /** @returns the batch for a permit; undefined if there is no permit, or no batch any more */
  async #seal(line: Line, entry: Entry): Promise<Batch | undefined> {
    const { flow, lanes, quota, logger } = this.parts;
    if (entry.kind === 'turn') {
      if (line === 'first' && flow.wantsHigh) await this.#fetchHigh();
      if (quota.holdsPairs) lanes.release(submission => this.#heldOutcome(submission));
      const batch = lanes.seal(this.#terms(), [line]);
      const sent = batch && quota.holdsPairs ? await this.#asProbe(batch) : batch;
      if (!sent) await quota.release(entry.permit);
      return sent;
    }
    if (entry.kind === 'paced') {
      this.#partialsFrom = performance.now() + entry.forMs;
    } else {
      if (entry.hold.scope === 'account')
        logger.warn({ event: 'held', ...entry.hold }, 'account is held; nothing is lost');
      lanes.release(() => held(entry.hold));
    }
    return undefined;
  }

  /** If the batch's object pair was held until now, one batch goes as the probe; the others are given back meanwhile. */
  async #asProbe(batch: Batch): Promise<Batch | undefined> {
    const { quota, lanes } = this.parts;
    const probes = quota.recordsOf(namesOf(batch));
    if (probes.length === 0) return batch;
    let isProbe = false;
    try {
      isProbe = await quota.probePairs(probes);
      if (isProbe) return { ...batch, probes };
    } finally {
      if (!isProbe) batch.inputs.settleRest(held(BEHIND_PROBE));
      lanes.release(submission => this.#heldOutcome(submission));
    }
    return undefined;
  }

  #deliver(batch: Batch, turn: Turn): void {
    const since = performance.now();
    this.parts.flow.sent(batch.trigger);
    const delivery = this.parts.delivery
      .deliver(batch, turn, this.#stop.signal)
      .then(report => this.parts.report.batch(batch, report, performance.now() - since))
      .finally(() => {
        this.#deliveries.delete(delivery);
      });
    this.#deliveries.add(delivery);
  }

  async #untilReady(line: Line): Promise<void> {
    const { lanes, work } = this.parts;
    const lingersUntil = lanes.lingersUntil(this.#terms(), [line]);
    const until =
      lingersUntil === undefined ? Number.POSITIVE_INFINITY : Math.max(lingersUntil, this.#partialsFrom);
    await work.wait(until - performance.now());
  }

  #terms(): Terms {
    const { flow } = this.parts;
    return {
      isFlushed: this.#flushing,
      partialsToo: this.#flushing || performance.now() >= this.#partialsFrom,
      lingerMs: flow.lingerMs(false),
      highLingerMs: flow.lingerMs(true),
    };
  }

  /** Bounds suspects: they go slowly and would fill the memory until no other jobs are fetched. */
  #noRoomFor(submission: Submission): Outcome | undefined {
    const { flow, lanes } = this.parts;
    if (lineOf(submission) !== 'suspect') return undefined;
    if (flow.hasRoomForSuspects(lanes.suspects, submission.pairs.length)) return undefined;
    const forMs = ROOM_AGAIN_MS * (1 + Math.random());
    return held({
      scope: 'pair',
      forMs,
      reason: 'many others that failed before wait for their next attempt',
    });
  }

  #cancelledOutcome({ requestId }: Submission): Outcome | undefined {
    const { cancelled } = this.parts;
    return requestId !== undefined && cancelled.has(requestId) ? held(TAKEN_BACK) : undefined;
  }

  #heldOutcome(submission: Submission): Outcome | undefined {
    const { quota } = this.parts;
    if (!quota.holdsPairs) return undefined;
    const pair = quota.heldPair(
      submission.fromObjectType,
      submission.toObjectType,
      typesText(submission.types),
    );
    return pair && held({ scope: 'pair', forMs: pair.until - Date.now(), reason: pair.reason });
  }
}

const BEHIND_PROBE: Hold = {
  scope: 'pair',
  forMs: 1_000,
  reason: 'another call finds out whether this object pair is accepted again',
};
const held = (hold: Hold): Outcome => ({ kind: 'held', hold });
