/** The intake without Redis: a queue that is a list, jobs that end when the test says so. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { FetchedJob, JobQueue, TakeLimits } from '../../src/bullmq/job-queue.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { Intake } from '../../src/worker/jobs/intake.js';
import { Prefetch } from '../../src/worker/jobs/prefetch.js';
import { eventually } from '../support/eventually.js';

const BYTES = 26;

/** A queue in memory, and what became of its jobs. */
class FakeQueue {
  waiting: FetchedJob[] = [];
  readonly putBackIds: string[] = [];
  fails = 0;
  isHeld = false;
  isClosed = false;
  asked = 0;
  #wake = () => {};
  #isStopped = false;

  add(count: number, associations: number, more: Partial<FetchedJob> = {}): void {
    const first = this.waiting.length;
    for (let at = first; at < first + count; at++) {
      const about = {
        id: `${at}`,
        token: 't',
        associations,
        high: false,
        standsAlone: true,
        isFirstAttempt: true,
        trace: undefined,
      };
      this.waiting.push({ ...about, text: '', ...more });
    }
    this.#wake();
  }

  async start(): Promise<void> {}

  /** As BullMQ's: waits for a job when there is none. */
  async next(): Promise<FetchedJob | undefined> {
    this.asked += 1;
    if (this.fails-- > 0) throw new Error('Redis is away');
    if (this.isHeld) return undefined;
    if (this.waiting.length === 0 && !this.#isStopped)
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    return this.waiting.shift();
  }

  async take(limits: TakeLimits, highOnly = false): Promise<{ jobs: FetchedJob[]; more: boolean }> {
    const jobs: FetchedJob[] = [];
    let bytes = 0;
    while (jobs.length < limits.jobs) {
      const at = this.waiting.findIndex(({ high }) => high || !highOnly);
      const [job] = at < 0 ? [] : this.waiting.slice(at, at + 1);
      if (!job || (jobs.length > 0 && bytes + job.associations * BYTES > limits.bytes)) break;
      bytes += job.associations * BYTES;
      jobs.push(...this.waiting.splice(at, 1));
    }
    return { jobs, more: this.waiting.length > 0 };
  }

  heldMs = async () => (this.isHeld ? 1e9 : 0);
  renewLocks = async () => [];
  async putBack({ id }: FetchedJob): Promise<void> {
    this.putBackIds.push(id);
  }
  async stopFetching(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

let queue: FakeQueue;
let prefetch: Prefetch;
let intake: Intake;
const working = new Map<string, () => void>();
const end = (...ids: string[]) => {
  for (const id of ids) working.get(id)?.();
};
let changes: number;
beforeEach(() => {
  queue = new FakeQueue();
  prefetch = new Prefetch({ associations: 800, jobs: 80 });
  changes = 0;
  intake = new Intake({
    queue: queue as unknown as JobQueue,
    prefetch,
    process: job => {
      working.set(job.id, () => {
        working.delete(job.id);
        intake.ended(job);
      });
    },
    onChange: () => {
      changes += 1;
    },
    portion: 100,
    high: { jobs: 10, bytes: 100 * BYTES },
    lockMs: 30_000,
    logger: createLogger('silent', 'test'),
  });
});
afterEach(async () => {
  const drained = intake.drain();
  end(...working.keys());
  await drained;
  expect(queue.isClosed).toBe(true);
  expect([prefetch.jobs, prefetch.associations]).toEqual([0, 0]);
});
const full = () => eventually(() => expect(prefetch.hasRoom).toBe(false));

it('keeps memory full and no fuller, and goes on when there is room for more than a little', async () => {
  queue.add(30, 50);
  await intake.start();
  await full();
  expect([prefetch.associations, working.size]).toEqual([800, 0]);
  expect(intake.hasMore).toBe(false);
  while (intake.handOn());
  expect(working.size).toBe(16);
  const { asked } = queue;
  end('0');
  expect(prefetch.hasRoom).toBe(false);
  end('1', '2');
  await eventually(() => expect(queue.asked).toBeGreaterThan(asked));
  await full();
  expect(prefetch.associations).toBe(800);
});

it('hands on what is asked for, in order, and says when there is nothing more', async () => {
  queue.add(5, 40);
  await intake.start();
  await eventually(() => expect(prefetch.jobs).toBe(5));
  expect(changes).toBeGreaterThan(0);
  expect([intake.handOn(), [...working.keys()]]).toEqual([true, ['0', '1', '2']]);
  expect([intake.handOn(), [...working.keys()]]).toEqual([true, ['0', '1', '2', '3', '4']]);
  expect(intake.handOn()).toBe(false);
});

it('holds more for a while where no call becomes full of it, and only then', async () => {
  queue.add(400, 50);
  await intake.start();
  await full();
  intake.widen();
  expect(intake.hasMore).toBe(true);
  await eventually(() => expect(prefetch.associations).toBe(1_600));
  for (let times = 0; times < 9; times++) {
    intake.widen();
    await full();
  }
  expect(prefetch.jobs).toBe(80); // the bound of jobs stands
  for (let calls = 0; calls < 300; calls++) prefetch.narrow();
  expect(prefetch.hasRoom).toBe(false);
});

it('says when nothing more is on its way', async () => {
  queue.add(2, 10);
  await intake.start();
  await eventually(() => expect(prefetch.jobs).toBe(2));
  expect(intake.hasMore).toBe(false);
  queue.add(200, 10);
  await full();
  expect(prefetch.jobs).toBe(80);
});

it('high priority comes in when memory is full, and is handed on before everything else', async () => {
  queue.add(30, 50);
  await intake.start();
  await full();
  queue.add(1, 20, { id: 'high', high: true });
  await intake.fetchHigh();
  expect([...working.keys()]).toEqual(['high']);
  expect(prefetch.associations).toBe(820);
});

it('at the end puts back what nobody has begun with, the newest first, and waits for the rest', async () => {
  queue.add(5, 40);
  await intake.start();
  await eventually(() => expect(prefetch.jobs).toBe(5));
  intake.handOn();
  let isDrained = false;
  const drained = intake.drain().then(() => {
    isDrained = true;
  });
  await eventually(() => expect(queue.putBackIds).toEqual(['4', '3']));
  end('0', '1');
  await eventually(() => expect(working.size).toBe(1));
  expect(isDrained).toBe(false);
  end('2');
  await drained;
});

it('asks again after an error', async () => {
  queue.fails = 1;
  queue.add(1, 10);
  await intake.start();
  await eventually(() => expect(prefetch.jobs).toBe(1));
});

it('asks for nothing while fetching is held', async () => {
  queue.isHeld = true;
  queue.add(3, 10);
  await intake.start();
  await eventually(() => expect(queue.asked).toBe(1));
  expect([prefetch.jobs, intake.isRunning]).toEqual([0, true]);
});
