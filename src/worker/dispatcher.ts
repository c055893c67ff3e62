/**
 * Dispatcher: slot → permit → seal → deliver. A batch is sealed only when a call slot and a quota permit are in hand, so
 * that under scarcity batches are always full, and whoever came with high priority in the meantime is in it.
 */
import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import type { Permit, Quota } from '../hubspot/quota.js';
import type { Passage, Turnstile } from '../hubspot/turnstile.js';
import { typesText } from '../shared/association.js';
import { messageOf } from '../shared/errors.js';
import type { Logger } from '../shared/logger.js';
import { sleep } from '../shared/wait.js';
import type { Batch, Submission, Submitter } from './batch.js';
import type { Coalescer } from './coalescer.js';
import type { Delivery, DeliveryReport } from './delivery.js';
import type { Hold, Outcome } from './outcome.js';

export type DispatcherParts = {
  /** it must call `onChange` of this dispatcher's making: see {@link Dispatcher.wake} */
  readonly coalescer: Coalescer;
  readonly quota: Quota;
  readonly turnstile: Turnstile;
  readonly delivery: Pick<Delivery, 'deliver'>;
  readonly maxConcurrentCalls: number;
  /** submits some of what is in memory, so that a lane becomes full; false: there is nothing more */
  readonly handOn: () => boolean;
  /** nothing more is in memory, and no lane is full of what was */
  readonly onNoneFull: () => void;
  /** submits what waits in Redis with high priority, as much as a call takes */
  readonly fetchHigh: () => Promise<void>;
  readonly onBatch: (batch: Batch, report: DeliveryReport, ms: number) => void;
  readonly logger: Logger;
};

const ASK_AGAIN_MS = 1_000;
const ON_DECK = 2;

export class Dispatcher {
  readonly #stop = new AbortController();
  readonly #slots: Slots;
  readonly #deliveries = new Set<Promise<void>>();
  #running: Promise<void> = Promise.resolve();
  #nap: AbortController | undefined;
  /** partial batches are paced until then (performance.now()) */
  #partialsFrom = 0;
  #flushing = false;

  constructor(private readonly parts: DispatcherParts) {
    this.#slots = slots(parts.maxConcurrentCalls);
    // each call in flight and each wait listens to it
    setMaxListeners(0, this.#stop.signal);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Batches on their way to HubSpot. */
  get inFlight(): number {
    return Math.min(this.#deliveries.size, this.parts.maxConcurrentCalls);
  }

  /** Something became ready: look again. */
  wake(): void {
    this.#nap?.abort();
  }

  submit(submission: Submission, submitter: Submitter): void {
    const outcome = this.#stop.signal.aborted ? held(SHUTTING_DOWN) : this.#heldOutcome(submission);
    if (outcome) submitter.onOutcomes(new Array<Outcome>(submission.pairs.length).fill(outcome));
    else this.parts.coalescer.submit(submission, submitter);
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

  async #run(): Promise<void> {
    const { coalescer, logger } = this.parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const ready = coalescer.next(this.#partialsToo());
      if (!ready?.full) {
        if (this.parts.handOn()) continue;
        this.parts.onNoneFull();
      }
      if (!ready) {
        await this.#napUntilReady();
        continue;
      }
      try {
        await this.#round(ready.full);
      } catch (error) {
        // Redis says no (read-only, full, busy): the pairs stay where they are
        logger.error({ event: 'redis', error: messageOf(error) }, 'no permit; asking again');
        await sleep(ASK_AGAIN_MS, signal);
      }
    }
  }

  /** One slot, one permit, one batch. The slot is left when the batch is delivered, or there is none. */
  async #round(full: boolean): Promise<void> {
    const { quota, turnstile } = this.parts;
    // Permits that are scarce are asked for with a slot in hand, so that none waits longer than it must. Where they are
    // plenty the round trip is made while all slots are taken, and two full batches stand ready for the next slots: those
    // were idle for a sixth of the time otherwise. (The caller makes no more calls at once than it may.)
    const isPlenty = full && !turnstile.isScarce;
    const onDeck = isPlenty ? ON_DECK : 0;
    let leave = isPlenty ? undefined : await this.#slots(onDeck);
    try {
      let passage = await this.#pass(full);
      leave ??= await this.#slots(onDeck);
      if (passage.kind === 'granted' && turnstile.isStale(passage)) {
        await quota.release(passage);
        passage = await this.#pass(full);
      }
      const batch = await this.#seal(passage);
      if (!batch || passage.kind !== 'granted') return;
      this.#deliver(batch, passage, leave);
      leave = undefined;
    } finally {
      leave?.();
    }
  }

  #pass(full: boolean): Promise<Passage> {
    return this.parts.turnstile.pass(!full && !this.#flushing, this.#stop.signal);
  }

  /** The batch that a permit is good for; undefined when there is none (any more), or no permit. */
  async #seal(passage: Passage): Promise<Batch | undefined> {
    const { coalescer, quota, logger } = this.parts;
    if (passage.kind === 'granted') {
      if (passage.high > 0) await this.parts.fetchHigh();
      if (quota.holdsPairs) coalescer.release(submission => this.#heldOutcome(submission));
      const batch = coalescer.seal(this.#partialsToo());
      if (!batch) await quota.release(passage);
      return batch;
    }
    if (passage.kind === 'paced') {
      this.#partialsFrom = performance.now() + passage.forMs;
    } else {
      if (passage.hold.scope === 'account')
        logger.warn({ event: 'held', ...passage.hold }, 'account is held; nothing is lost');
      coalescer.release(() => held(passage.hold));
    }
    return undefined;
  }

  #deliver(batch: Batch, permit: Permit, leave: Leave): void {
    const since = performance.now();
    const delivery = this.parts.delivery
      .deliver(batch, permit, this.#stop.signal)
      .then(report => this.parts.onBatch(batch, report, performance.now() - since))
      .finally(() => {
        leave();
        this.#deliveries.delete(delivery);
      });
    this.#deliveries.add(delivery);
  }

  async #napUntilReady(): Promise<void> {
    const lingersUntil = this.parts.coalescer.lingersUntil();
    const until =
      lingersUntil === undefined ? Number.POSITIVE_INFINITY : Math.max(lingersUntil, this.#partialsFrom);
    this.#nap = new AbortController();
    await sleep(until - performance.now(), this.#nap.signal);
    this.#nap = undefined;
  }

  #partialsToo(): boolean {
    return this.#flushing || performance.now() >= this.#partialsFrom;
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

const SHUTTING_DOWN: Hold = { scope: 'shutdown', forMs: 0, reason: 'this worker is shutting down' };
const held = (hold: Hold): Outcome => ({ kind: 'held', hold });

type Leave = () => void;
type Slots = (onDeck: number) => Promise<Leave>;

/** p-limit runs functions; a slot is a function that runs until it is left. @param onDeck batches beyond the calls */
function slots(calls: number): Slots {
  const limit = pLimit(calls);
  return onDeck => {
    limit.concurrency = calls + onDeck;
    return new Promise(taken => void limit(() => new Promise<void>(leave => taken(leave))));
  };
}
