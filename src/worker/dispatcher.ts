/**
 * Dispatcher: slot → permit → seal → deliver. A batch is sealed only when a call slot and a quota permit are in hand, so
 * that under scarcity batches are always full, and whoever came with high priority in the meantime is in it. First-timers
 * and suspects are dispatched beside each other; whose turn it is, decides the gate.
 */
import { setMaxListeners } from 'node:events';
import type { Quota } from '../hubspot/quota.js';
import { typesText } from '../shared/contract/association.js';
import { messageOf } from '../shared/contract/errors.js';
import type { Logger } from '../shared/runtime/logger.js';
import { sleep } from '../shared/runtime/wait.js';
import { type Batch, namesOf } from './batches/batch.js';
import type { Coalescer } from './batches/lanes.js';
import { type Hold, type Outcome, SHUTTING_DOWN } from './batches/outcome.js';
import { LINES, type Line, lineOf, type Submission } from './batches/submission.js';
import type { Delivery, DeliveryReport } from './calls/delivery.js';
import type { Entry, Gate, Turn } from './calls/gate.js';

export type DispatcherParts = {
  /** it must call `onChange` of this dispatcher's making: see {@link Dispatcher.wake} */
  readonly coalescer: Coalescer;
  readonly quota: Quota;
  readonly gate: Pick<Gate, 'pass'>;
  readonly delivery: Pick<Delivery, 'deliver'>;
  /** suspects that may wait in memory; others come back later */
  readonly mostSuspects: number;
  /** submits some of what is in memory, so that a lane becomes full; false: there is nothing more */
  readonly handOn: () => boolean;
  /** everything in memory has been submitted, and no lane is full */
  readonly onNoneFull: () => void;
  /** submits what waits in Redis with high priority, as much as a call takes */
  readonly fetchHigh: () => Promise<void>;
  readonly onBatch: (batch: Batch, report: DeliveryReport, ms: number) => void;
  readonly logger: Logger;
};

const ASK_AGAIN_MS = 1_000;
/** Suspects for whom there is no room come back after that, and up to twice as late. */
const ROOM_AGAIN_MS = 5_000;

export class Dispatcher {
  readonly #stop = new AbortController();
  readonly #deliveries = new Set<Promise<void>>();
  #running: Promise<unknown> = Promise.resolve();
  readonly #naps: Partial<Record<Line, AbortController>> = {};
  /** partial batches are paced until then (performance.now()) */
  #partialsFrom = 0;
  #flushing = false;

  constructor(private readonly parts: DispatcherParts) {
    // each call in flight and each wait listens to it
    setMaxListeners(0, this.#stop.signal);
  }

  start(): void {
    this.#running = Promise.all(LINES.map(line => this.#run(line)));
  }

  /** Something became ready: look again. */
  wake(): void {
    for (const line of LINES) this.#naps[line]?.abort();
  }

  submit(submission: Submission): void {
    const outcome = this.#stop.signal.aborted
      ? held(SHUTTING_DOWN)
      : (this.#heldOutcome(submission) ?? this.#noRoomFor(submission));
    if (outcome) submission.onOutcomes(new Array<Outcome>(submission.pairs.length).fill(outcome));
    else this.parts.coalescer.submit(submission);
  }

  /** The process is about to end: what waits goes, as small as it is. */
  flush(): void {
    this.#flushing = true;
    this.parts.coalescer.flush();
  }

  /** Ends calls in flight and gives everything back that has no outcome yet. */
  async abort(): Promise<void> {
    this.#stop.abort();
    this.wake();
    this.parts.coalescer.release(() => held(SHUTTING_DOWN));
    await this.#running;
    await Promise.all(this.#deliveries);
  }

  async #run(line: Line): Promise<void> {
    const { coalescer, logger } = this.parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const ready = coalescer.next(this.#partialsToo(), [line]);
      if (line === 'first' && !ready?.full) {
        if (this.parts.handOn()) continue;
        this.parts.onNoneFull();
      }
      if (!ready) {
        await this.#napUntilReady(line);
        continue;
      }
      try {
        await this.#round(line, ready.full);
      } catch (error) {
        // Redis says no (read-only, full, busy): the pairs stay where they are
        logger.error(
          { event: 'redis', error: messageOf(error) },
          'the worker could not ask for a permit; it tries again in a second',
        );
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** One turn, one batch. The slot is left when its first call has ended, or there is no batch. */
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

  /** The batch that a permit is good for; undefined when there is none (any more), or no permit. */
  async #seal(line: Line, entry: Entry): Promise<Batch | undefined> {
    const { coalescer, quota, logger } = this.parts;
    if (entry.kind === 'turn') {
      if (entry.permit.high > 0) await this.parts.fetchHigh();
      if (quota.holdsPairs) coalescer.release(submission => this.#heldOutcome(submission));
      const batch = coalescer.seal(this.#partialsToo(), [line]);
      const sent = batch && quota.holdsPairs ? await this.#asProbe(batch) : batch;
      if (!sent) await quota.release(entry.permit);
      return sent;
    }
    if (entry.kind === 'paced') {
      this.#partialsFrom = performance.now() + entry.forMs;
    } else {
      if (entry.hold.scope === 'account')
        logger.warn({ event: 'held', ...entry.hold }, 'account is held; nothing is lost');
      coalescer.release(() => held(entry.hold));
    }
    return undefined;
  }

  /** Where its object pair was held until now, one batch goes and finds out; the others are given back meanwhile. */
  async #asProbe(batch: Batch): Promise<Batch | undefined> {
    const { quota, coalescer } = this.parts;
    const probes = quota.recordsOf(namesOf(batch));
    if (probes.length === 0) return batch;
    let isProbe = false;
    try {
      isProbe = await quota.probePairs(probes);
      if (isProbe) return { ...batch, probes };
    } finally {
      if (!isProbe) batch.inputs.settleRest(held(BEHIND_PROBE));
      coalescer.release(submission => this.#heldOutcome(submission));
    }
    return undefined;
  }

  #deliver(batch: Batch, turn: Turn): void {
    const since = performance.now();
    const delivery = this.parts.delivery
      .deliver(batch, turn, this.#stop.signal)
      .then(report => this.parts.onBatch(batch, report, performance.now() - since))
      .finally(() => {
        this.#deliveries.delete(delivery);
      });
    this.#deliveries.add(delivery);
  }

  async #napUntilReady(line: Line): Promise<void> {
    const lingersUntil = this.parts.coalescer.lingersUntil([line]);
    const until =
      lingersUntil === undefined ? Number.POSITIVE_INFINITY : Math.max(lingersUntil, this.#partialsFrom);
    const nap = new AbortController();
    this.#naps[line] = nap;
    await sleep(until - performance.now(), nap.signal);
    delete this.#naps[line];
  }

  #partialsToo(): boolean {
    return this.#flushing || performance.now() >= this.#partialsFrom;
  }

  /** Suspects go slowly, and would fill the memory until nobody else is fetched. */
  #noRoomFor(submission: Submission): Outcome | undefined {
    const { suspects } = this.parts.coalescer;
    if (lineOf(submission) !== 'suspect' || suspects === 0) return undefined;
    if (suspects + submission.pairs.length <= this.parts.mostSuspects) return undefined;
    const forMs = ROOM_AGAIN_MS * (1 + Math.random());
    return held({
      scope: 'pair',
      forMs,
      reason: 'many others that failed before wait for their next attempt',
    });
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
