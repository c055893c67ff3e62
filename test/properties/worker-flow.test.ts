/** Flow control, driven by any sequence of what can happen to a worker: its memory is bounded, and it always goes on. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Flow, flowLimits, sealedAhead } from '../../src/worker/flow.js';

const BYTES_PER_ASSOCIATION = 26;
const FARTHEST_REACH = 16;
const LIMITS = { batches: 24, associations: 2_400, jobs: 300, maxInputs: 100, lingerMs: 250 };

type Weight = { associations: number; high: boolean };
const bulk = (associations: number): Weight => ({ associations, high: false });
const high = (associations: number): Weight => ({ associations, high: true });
const times = (count: number, step: () => unknown) => {
  for (let at = 0; at < count; at++) step();
};
/** So full that it takes no more. @returns the jobs */
function fill(flow: Flow, associations = 100): Weight[] {
  const jobs: Weight[] = [];
  for (const job = bulk(associations); flow.hasRoom; jobs.push(job)) flow.fetched(job);
  return jobs;
}
/** As far as it goes. */
function stretched(limits = LIMITS): Flow {
  const flow = new Flow(limits);
  flow.foundMore(true);
  do fill(flow);
  while (flow.stretch());
  return flow;
}

const sizes = fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 500 }), fc.constant(5_000));
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('fetch' as const), sizes: fc.array(sizes) }) },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'stretch' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'full call' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('high' as const), size: fc.nat({ max: 500 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('more' as const), more: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('suspects' as const), count: fc.nat(9_000) }) },
  ),
  { maxLength: 200 },
);

describe('memory', () => {
  it('is bounded in associations and in jobs, whatever happens', () => {
    fc.assert(
      fc.property(steps, script => {
        const searched = { suspects: 0 };
        const flow = new Flow(LIMITS, [searched, { suspects: 0 }]);
        const held: Weight[] = [];
        let largest = 0;
        const fetch = (jobs: readonly Weight[]) => {
          for (const job of jobs) {
            largest = Math.max(largest, job.associations);
            held.push(job);
            flow.fetched(job);
          }
        };
        for (const step of script) {
          if (step.kind === 'fetch' && flow.hasRoom) fetch(runOf(flow.room, step.sizes.map(bulk)));
          if (step.kind === 'high' && flow.roomForHigh) fetch([high(step.size)]);
          if (step.kind === 'end')
            for (const job of held.splice(step.which % (held.length + 1), 1)) flow.ended(job);
          if (step.kind === 'more') flow.foundMore(step.more);
          if (step.kind === 'stretch') flow.stretch();
          if (step.kind === 'full call') flow.sent('full');
          if (step.kind === 'suspects') searched.suspects = step.count;
          const associations = held.reduce((sum, job) => sum + job.associations, 0);
          expect([flow.jobs, flow.associations]).toEqual([held.length, associations]);
          // its reach, suspects once more, high priority once more, and a job that was larger than it looked
          expect(associations).toBeLessThanOrEqual(LIMITS.associations * (FARTHEST_REACH + 2) + 2 * largest);
          expect(flow.room.jobs).toBeLessThanOrEqual(LIMITS.jobs + LIMITS.associations);
          for (const limit of Object.values(flow.room)) expect(Number.isSafeInteger(limit)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps to its bounds exactly while nothing stretches it and nobody is suspected', () => {
    fc.assert(
      fc.property(
        fc.array(sizes, { minLength: 1, maxLength: 400 }),
        fc.infiniteStream(fc.nat(9)),
        (queue, dice) => {
          const flow = new Flow(LIMITS);
          const held: Weight[] = [];
          let largest = 0;
          let next = 0;
          while (next < queue.length || held.length > 0) {
            const wasEmpty = held.length === 0;
            if (next < queue.length && flow.hasRoom && dice.next().value !== 0) {
              const run = runOf(flow.room, queue.slice(next).map(bulk));
              next += run.length;
              for (const job of run) {
                largest = Math.max(largest, job.associations);
                held.push(job);
                flow.fetched(job);
              }
              if (wasEmpty) expect(held.length).toBeGreaterThan(0);
            } else if (held.length > 0) {
              const [job] = held.splice((dice.next().value as number) % held.length, 1);
              flow.ended(job as Weight);
            }
            expect(flow.jobs).toBeLessThanOrEqual(LIMITS.jobs);
            // what it could not know when it allowed one more: that it is a large one
            expect(flow.associations).toBeLessThanOrEqual(LIMITS.associations + largest);
          }
          expect(flow.hasRoom).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('has room again once an eighth of it is free, in associations and in jobs, and no sooner', () => {
    const flow = new Flow({ ...LIMITS, associations: 1_600, jobs: 160 });
    flow.fetched(bulk(1_400));
    expect(flow.hasRoom).toBe(true);
    flow.fetched(bulk(1));
    expect(flow.hasRoom).toBe(false);
    flow.ended(bulk(1));
    times(139, () => flow.fetched(bulk(0)));
    expect(flow.hasRoom).toBe(true);
    flow.fetched(bulk(0));
    expect(flow.hasRoom).toBe(false);
  });

  it('has room for a job of any size when it is empty, however much is suspected elsewhere', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 50 }), (suspects, associations) => {
        const flow = new Flow({ ...LIMITS, associations }, [{ suspects }]);
        expect(flow.hasRoom).toBe(true);
        expect(flow.room.jobs).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('does not count suspects, up to its bound once more', () => {
    const searched = { suspects: 0 };
    const flow = new Flow({ ...LIMITS, associations: 800, jobs: 100 }, [searched]);
    times(8, () => flow.fetched(bulk(100)));
    expect(flow.hasRoom).toBe(false);
    searched.suspects = 500;
    expect(flow.hasRoom).toBe(true);
    searched.suspects = 10_000;
    times(8, () => flow.fetched(bulk(100)));
    expect(flow.hasRoom).toBe(false);
  });

  it('takes one job of suspects at least, and no more than its bound of them', () => {
    const flow = new Flow(LIMITS);
    expect(flow.hasRoomForSuspects(0, 9_999)).toBe(true);
    expect(flow.hasRoomForSuspects(1, 2_399)).toBe(true);
    expect(flow.hasRoomForSuspects(1, 2_400)).toBe(false);
  });
});

describe('where no call becomes full, memory', () => {
  it('stretches up to sixteen times, only when it is full, and only while Redis has more', () => {
    const flow = new Flow(LIMITS);
    flow.foundMore(true);
    expect(flow.stretch()).toBe(false); // there is room
    fill(flow);
    flow.foundMore(false);
    expect(flow.stretch()).toBe(false); // there is nothing more
    flow.foundMore(true);
    const bounds: number[] = [];
    while (flow.stretch()) {
      fill(flow, 500);
      bounds.push(Math.round(flow.associations / LIMITS.associations));
    }
    expect(bounds).toEqual([2, 4, 8, 16]);
  });

  it('shrinks to its bound again by full calls, and only by them', () => {
    for (const trigger of ['linger', 'flush', 'high'] as const) {
      const flow = stretched();
      const before = flow.room;
      times(500, () => flow.sent(trigger));
      expect(flow.room).toEqual(before);
    }
    const flow = stretched();
    const jobs = flow.jobs;
    times(140, () => flow.sent('full'));
    expect(flow.hasRoom).toBe(false);
    times(jobs, () => flow.ended(bulk(100)));
    expect(flow.room).toEqual(new Flow(LIMITS).room);
  });

  it('never shrinks below its bound', () => {
    const flow = new Flow(LIMITS);
    times(1_000, () => flow.sent('full'));
    expect(flow.room).toEqual({ jobs: 300, bytes: 2_400 * BYTES_PER_ASSOCIATION });
  });
});

describe('high priority', () => {
  it('is let into a memory full of others, stretched or shrunk, with whatever was in it before', () => {
    fc.assert(
      fc.property(fc.nat(400), fc.boolean(), (fullCalls, isStretched) => {
        const flow = isStretched ? stretched() : new Flow(LIMITS);
        fill(flow, 77);
        times(fullCalls, () => flow.sent('full'));
        expect(flow.hasRoom).toBe(false);
        let count = 0;
        for (; flow.roomForHigh; count++) flow.fetched(high(100));
        expect(count * 100).toBe(LIMITS.associations); // once more the bound, and no more
        flow.ended(high(100));
        expect(flow.roomForHigh).toEqual({ jobs: LIMITS.maxInputs, bytes: LIMITS.maxInputs * 32 });
      }),
    );
  });

  it('is fetched as soon as a permit says that it waits, once', () => {
    const flow = new Flow(LIMITS);
    expect(flow.wantsHigh).toBe(false);
    flow.foundHigh(3);
    expect(flow.wantsHigh).toBe(true);
    flow.foundHigh(0);
    expect(flow.wantsHigh).toBe(false);
  });
});

describe('a partial batch', () => {
  it('waits eight lingers while there is more to fetch and room for it, and one otherwise or in high priority', () => {
    const flow = new Flow(LIMITS);
    expect([flow.lingerMs(false), flow.lingerMs(true)]).toEqual([250, 250]);
    flow.foundMore(true);
    expect([flow.lingerMs(false), flow.lingerMs(true)]).toEqual([2_000, 250]);
    fill(flow);
    expect([flow.lingerMs(false), flow.lingerMs(true)]).toEqual([250, 250]);
  });
});

describe('jobs', () => {
  it('are opened by halves of a batch while no lane is full, and stay text otherwise', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), maxInputs => {
        const flow = new Flow({ ...LIMITS, maxInputs });
        expect(flow.toOpen(true)).toBe(0);
        expect(flow.toOpen(false)).toBe(Math.ceil(maxInputs / 2));
      }),
    );
  });
});

describe('batches', () => {
  it('are sealed ahead of their slots only when they are full, of first-timers, and permits are plenty', () => {
    const next = { line: 'first', isFull: true, isScarce: false } as const;
    expect(sealedAhead(next)).toBe(2);
    for (const other of [{ line: 'suspect' }, { isFull: false }, { isScarce: true }] as const)
      expect(sealedAhead({ ...next, ...other })).toBe(0);
  });
});

describe('the share of a replica', () => {
  const limits = flowLimits({ batchMaxInputs: 2_000, batchLingerMs: 250, maxConcurrentCalls: 10 });
  const farthest = (working: number, limit: number, isFull = true, windowMs = 10_000) => {
    const flow = new Flow(limits);
    flow.shared({ fetches: true, working, limit, windowMs });
    flow.foundMore(true);
    do fill(flow, 500);
    while (!isFull && flow.stretch());
    return flow.associations;
  };
  const share = fc.record({
    working: fc.integer({ min: 1, max: 500 }),
    limit: fc.integer({ min: 1, max: 100_000 }),
    windowMs: fc.integer({ min: 100, max: 3_600_000 }),
  });

  it('is at most what it may have alone, keeps its calls in flight, and is else its part of two windows', () => {
    fc.assert(
      fc.property(share, ({ working, limit, windowMs }) => {
        const batches = farthest(working, limit, true, windowMs) / 2_000;
        const ahead = limit * Math.max(2, 20_000 / windowMs);
        const least = Math.floor(Math.min(10, ahead));
        const part = ahead / working;
        expect(batches).toBeLessThanOrEqual(16);
        expect(batches).toBeGreaterThan(least);
        expect(batches).toBeLessThanOrEqual(Math.max(part, least + 2) + 0.25);
      }),
    );
  });

  it('bounds how far memory stretches, and as before with a wide quota', () => {
    expect(farthest(1, 100, false)).toBeLessThanOrEqual(400_000);
    expect(farthest(2, 100, false)).toBeLessThanOrEqual(200_000);
    expect(farthest(1, 100, false)).toBeGreaterThan(350_000);
    expect(farthest(1, 1_000, false)).toBeGreaterThan(480_000);
  });

  it('of one that stands by is nothing, and what it has in memory lingers for nothing more', () => {
    const flow = new Flow(limits);
    flow.foundMore(true);
    flow.fetched(bulk(500));
    expect([flow.mayFetch, flow.lingerMs(false)]).toEqual([true, 2_000]);
    flow.shared({ fetches: false, working: 2, limit: 100, windowMs: 10_000 });
    expect([flow.mayFetch, flow.isStandby, flow.lingerMs(false)]).toEqual([false, true, 250]);
    flow.shared({ fetches: true, working: 2, limit: 100, windowMs: 10_000 });
    expect(flow.mayFetch).toBe(true);
  });
});

it('the bounds follow from the settings', () => {
  const limits = flowLimits({ batchMaxInputs: 2_000, batchLingerMs: 250, maxConcurrentCalls: 10 });
  expect(limits).toEqual({
    batches: 16,
    associations: 32_000,
    jobs: 24_000,
    maxInputs: 2_000,
    lingerMs: 250,
  });
  expect(flowLimits({ batchMaxInputs: 10, batchLingerMs: 0, maxConcurrentCalls: 1 }).jobs).toBe(1_000);
});

/** A run as take.lua makes it: as many as fit, but at least one. */
function runOf({ jobs, bytes }: { jobs: number; bytes: number }, queue: readonly Weight[]): Weight[] {
  const run: Weight[] = [];
  let left = bytes;
  for (const job of queue.slice(0, jobs)) {
    left -= job.associations * BYTES_PER_ASSOCIATION;
    if (run.length > 0 && left < 0) break;
    run.push(job);
  }
  return run;
}
