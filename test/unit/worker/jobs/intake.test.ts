/** The intake without Redis: the queue is a list, and the test ends the jobs. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { FetchedJob } from '../../../../src/bullmq/fetched-job.js';
import { createLogger } from '../../../../src/shared/runtime/logger.js';
import { Notifier } from '../../../../src/shared/runtime/wait.js';
import { Flow } from '../../../../src/worker/flow.js';
import { Intake } from '../../../../src/worker/jobs/intake.js';
import { eventually } from '../../../support/eventually.js';
import { FakeQueue } from '../../../support/fake-pipeline.js';

let queue: FakeQueue;
let flow: Flow;
let intake: Intake;
let work: Notifier;
/** taken from the intake */
const working = new Map<string, FetchedJob>();
const take = (associations: number): string[] => {
  const jobs = intake.take(associations);
  for (const job of jobs) working.set(job.id, job);
  return jobs.map(({ id }) => id);
};
const end = (...ids: string[]) => {
  for (const id of ids) {
    const job = working.get(id);
    if (!job) throw new Error(`job ${id} is not at work`);
    working.delete(id);
    intake.ended(job);
  }
};
beforeEach(() => {
  queue = new FakeQueue();
  flow = new Flow({ batches: 8, associations: 800, jobs: 80, maxInputs: 100, lingerMs: 250 });
  work = new Notifier();
  intake = new Intake({
    ...{ source: queue, flow, room: new Notifier(), work, lockMs: 30_000 },
    logger: createLogger('silent', 'test'),
  });
});
afterEach(async () => {
  const drained = intake.drain();
  end(...working.keys());
  await drained;
  expect(queue.isClosed).toBe(true);
  expect([flow.jobs, flow.associations]).toEqual([0, 0]);
});
const full = () => eventually(() => expect(flow.hasRoom).toBe(false));

it('keeps memory full and no fuller, and goes on when there is room for more than a little', async () => {
  queue.add(30, 50);
  await intake.start();
  await full();
  expect([flow.associations, working.size]).toEqual([800, 0]);
  expect(take(800)).toHaveLength(16);
  const { asked } = queue;
  end('0');
  expect(flow.hasRoom).toBe(false);
  end('1', '2');
  await eventually(() => expect(queue.asked).toBeGreaterThan(asked));
  await full();
  expect(flow.associations).toBe(800);
});

it('gives what is asked for, in whole jobs and in order, and notifies who waits for them', async () => {
  const heard = work.wait();
  queue.add(5, 40);
  await intake.start();
  await heard;
  await eventually(() => expect(flow.jobs).toBe(5));
  expect(take(0)).toEqual([]);
  expect(take(100)).toEqual(['0', '1', '2']);
  expect(take(100)).toEqual(['3', '4']);
  expect(take(100)).toEqual([]);
});

it('holds more for a while where memory is stretched, and only then', async () => {
  queue.add(400, 50);
  await intake.start();
  await full();
  expect(flow.stretch()).toBe(true);
  intake.lookForRoom();
  await eventually(() => expect(flow.associations).toBe(1_600));
  while (flow.stretch()) {
    intake.lookForRoom();
    await full();
  }
  expect(flow.jobs).toBe(80); // the bound of jobs stands
});

it('fetches nothing while it stands by, keeps what it has, and goes on when it has a place', async () => {
  queue.add(30, 50);
  await intake.start();
  await full();
  flow.shared({ fetches: false, working: 1, limit: 100, windowMs: 10_000 });
  const { asked } = queue;
  expect(take(800)).toHaveLength(16);
  end(...working.keys());
  intake.lookForRoom();
  expect([flow.hasRoom, flow.mayFetch, flow.jobs, queue.asked]).toEqual([true, false, 0, asked]);
  expect(flow.lingerMs(false)).toBe(250); // no further pairs are on their way
  flow.shared({ fetches: true, working: 1, limit: 100, windowMs: 10_000 });
  intake.lookForRoom();
  await eventually(() => expect(flow.jobs).toBe(14));
});

it('says when nothing more is on its way', async () => {
  queue.add(2, 10);
  await intake.start();
  await eventually(() => expect(flow.jobs).toBe(2));
  await eventually(() => expect(flow.lingerMs(false)).toBe(250)); // no further pairs are on their way
  queue.add(200, 10);
  await full();
  expect(flow.jobs).toBe(80);
});

it('high priority comes in when memory is full, and is taken before everything else', async () => {
  queue.add(30, 50);
  await intake.start();
  await full();
  queue.add(1, 20, { id: 'high', high: true });
  flow.foundHigh(1);
  await intake.fetchHigh();
  expect([take(0), take(60), flow.wantsHigh]).toEqual([['high'], ['0', '1'], false]);
  expect(flow.associations).toBe(820);
});

it('at the end puts back unread jobs, the newest first, and waits for the rest', async () => {
  queue.add(5, 40);
  await intake.start();
  await eventually(() => expect(flow.jobs).toBe(5));
  take(100);
  queue.add(1, 20, { id: 'high', high: true });
  await intake.fetchHigh();
  let isDrained = false;
  const drained = intake.drain().then(() => {
    isDrained = true;
  });
  await eventually(() => expect([...queue.moves.keys()]).toEqual(['4', '3', 'high']));
  end('0', '1');
  expect([intake.isRunning, intake.isStopping]).toEqual([false, true]);
  expect(isDrained).toBe(false);
  end('2');
  await drained;
});

it('asks again after an error', async () => {
  queue.trouble.comes('next');
  queue.add(1, 10);
  await intake.start();
  await eventually(() => expect(flow.jobs).toBe(1));
});

it('asks for nothing while fetching is held', async () => {
  queue.isHeld = true;
  queue.add(3, 10);
  await intake.start();
  await eventually(() => expect(queue.asked).toBe(1));
  expect([flow.jobs, intake.isRunning]).toEqual([0, true]);
});
