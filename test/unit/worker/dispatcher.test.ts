/**
 * The dispatcher with a fake quota: slots and permits, batches sealed ahead, pacing, high priority, holds, its end in every
 * state, and a Redis that throws. Whatever happens, every job ends once and nothing stays in memory.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { clock } from '../../../src/shared/runtime/clock.js';
import { eventually } from '../../support/eventually.js';
import { created, endsOf, type PipelineBench, pipelineBench } from '../../support/fake-pipeline.js';

const LONG = 3_600_000;
const open: PipelineBench[] = [];
function bench(...settings: Parameters<typeof pipelineBench>): PipelineBench {
  const one = pipelineBench(...settings);
  open.push(one);
  return one;
}
afterEach(async () => {
  for (const one of open.splice(0)) if (!one.queue.isClosed) await one.stop();
});
const times = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value);
const calls = (box: PipelineBench, count: number) =>
  eventually(() => expect(box.caller.calls).toHaveLength(count));
const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve));
};
const endAs = (ids: readonly string[], end: string) => Object.fromEntries(ids.map(id => [id, end]));

describe('slots and permits', () => {
  it('seals two full batches ahead of their slots while permits are plenty, and says that only the others are in flight', async () => {
    const box = bench();
    const jobs = box.enqueue(times(9, 10));
    await box.start();
    await calls(box, 4);
    await turns();
    expect([box.caller.calls.length, box.pipeline.state().inFlight]).toEqual([4, 2]);
    box.caller.says = created;
    box.caller.answerAll();
    await box.idle();
    expect(box.caller.sizes).toEqual(times(9, 10));
    expect(endsOf(box)).toEqual(endAs(jobs, 'completed'));
  });

  it('seals nothing ahead while permits are scarce: no more calls than slots', async () => {
    const box = bench();
    box.quota.answers.push(...times(9, { waitMs: 1 }));
    box.enqueue(times(9, 10));
    await box.start();
    for (let call = 2; call < 9; call++) {
      await calls(box, call);
      await turns();
      expect(box.caller.open.size).toBe(2);
      [...box.caller.open][0]?.answer();
    }
    box.caller.says = created;
    box.caller.answerAll();
    await box.idle();
  });

  it('seals a batch when it has slot and permit, and not before: who comes into the lane meanwhile rides along', async () => {
    const box = bench({ batchLingerMs: 1 });
    const suspects = (size: number) => box.enqueue([size], { progress: [{ pairs: size, suspicion: 1 }] });
    let letIn = () => {};
    box.quota.door = new Promise(resolve => {
      letIn = resolve;
    });
    suspects(2);
    await box.start();
    await eventually(() => expect(box.quota.asked).toHaveLength(1));
    suspects(3);
    await eventually(() => expect(box.pipeline.state().unbatched).toBe(5));
    letIn();
    await calls(box, 1);
    expect(box.caller.sizes).toEqual([5]);
    box.caller.answerAll();
    await box.idle();
  });

  it('gives back an expired permit and requests a new one', async () => {
    const box = bench();
    const fresh = { at: clock() + LONG, graceMs: 60 };
    box.quota.answers.push({ slot: { at: clock() - 1_000, graceMs: 60 } }, { slot: fresh });
    box.caller.says = created;
    const jobs = box.enqueue([10]);
    await box.start();
    await box.idle();
    expect([box.quota.released, box.caller.calls.map(({ slot }) => slot)]).toEqual([['p1'], [fresh]]);
    expect(endsOf(box)).toEqual(endAs(jobs, 'completed'));
  });

  it('sends the same batch with a new permit where the call was too late for its first', async () => {
    const box = bench();
    box.enqueue([10]);
    await box.start();
    await calls(box, 1);
    box.caller.calls[0]?.answer({ kind: 'not-sent', lateMs: 700 });
    await calls(box, 2);
    expect(box.caller.calls[1]?.inputs).toEqual(box.caller.calls[0]?.inputs);
    expect(box.quota.released).toEqual(['p1']);
    box.caller.answerAll();
    await box.idle();
  });
});

describe('pacing', () => {
  it('makes partial batches wait, and full ones not', async () => {
    const box = bench({ batchLingerMs: 0 });
    box.quota.answers.push({ kind: 'paced', forMs: 300 });
    box.caller.says = created;
    box.enqueue([3]);
    await box.start();
    await eventually(() => expect(box.quota.asked).toEqual([{ partial: true, spread: false }]));
    const since = performance.now();
    box.enqueue([10], { fromObjectType: 'deals' });
    await calls(box, 1);
    expect(box.caller.calls[0]).toMatchObject({ objectPair: 'deals/companies' });
    await box.idle();
    expect(box.caller.sizes).toEqual([10, 3]);
    expect(performance.now() - since).toBeGreaterThan(200);
  });

  it('does not hold up what is flushed', async () => {
    const box = bench({ batchLingerMs: 0 });
    box.quota.answers.push({ kind: 'paced', forMs: LONG });
    box.caller.says = created;
    const jobs = box.enqueue([3]);
    await box.start();
    await eventually(() => expect(box.quota.asked).toHaveLength(1));
    await turns();
    await box.stop({ abort: false });
    expect(endsOf(box)).toEqual(endAs(jobs, 'completed'));
  });
});

describe('high priority', () => {
  const highIn = ({ queue }: PipelineBench) => queue.waiting.filter(({ high }) => high).length;

  it('is fetched when a permit says that it waits, and is at the head of the batch', async () => {
    const box = bench({ maxConcurrentCalls: 1 });
    box.quota.high = () => highIn(box);
    box.quota.answers.push(...times(20, { waitMs: 1 }));
    box.enqueue(times(60, 10)); // far more than memory holds
    await box.start();
    await calls(box, 1);
    const [urgent] = box.enqueue([1], { high: true });
    box.caller.says = created;
    box.caller.answerAll();
    await eventually(() => expect(endsOf(box)).toMatchObject({ [urgent ?? '']: 'completed' }));
    const call = box.batches.findIndex(({ batch }) => batch.high > 0);
    expect(call).toBeLessThanOrEqual(2);
    expect(box.batches[call]?.batch.inputs.size).toBe(10);
    await box.idle();
  });

  it('is fetched where only suspects get a permit, and takes the next turn', async () => {
    const box = bench({ batchLingerMs: 0 });
    const suspects = () => box.enqueue([2], { progress: [{ pairs: 2, suspicion: 1 }] });
    let letIn = () => {};
    box.quota.door = new Promise(resolve => {
      letIn = resolve;
    });
    box.quota.high = () => highIn(box);
    suspects();
    await box.start();
    await eventually(() => expect(box.quota.asked).toEqual([{ partial: true, spread: true }]));
    box.queue.isHeld = true; // no job comes by the usual way
    suspects();
    await eventually(() => expect(box.pipeline.state().unbatched).toBe(4));
    const [urgent = ''] = box.enqueue([1], { high: true, fromObjectType: 'deals' });
    letIn();
    await calls(box, 2);
    expect(box.caller.calls.map(({ objectPair }) => objectPair)).toEqual([
      'contacts/companies',
      'deals/companies',
    ]);
    box.caller.answerAll();
    await box.idle();
    expect(endsOf(box)).toMatchObject({ [urgent]: 'completed' });
  });

  it('that Redis refuses holds up no call', async () => {
    const box = bench();
    box.quota.answers.push({ high: 3 });
    box.queue.trouble.comes('take high');
    box.caller.says = created;
    const jobs = box.enqueue([10]);
    await box.start();
    await box.idle();
    expect(box.queue.trouble.isOver).toBe(true);
    expect([endsOf(box), box.quota.asked.length]).toEqual([endAs(jobs, 'completed'), 1]);
  });
});

describe('memory', () => {
  it('stretches where many object pairs alternate, until calls are full', async () => {
    const box = bench({ maxConcurrentCalls: 1, batchLingerMs: 1_000 });
    box.caller.says = created;
    for (let job = 0; job < 400; job++) box.enqueue([1], { fromObjectType: `from${job % 40}` });
    await box.start();
    await box.idle();
    expect(box.caller.sizes).toEqual(times(40, 10));
    expect(new Set(box.batches.map(({ batch }) => batch.trigger))).toEqual(new Set(['full']));
  });

  it('is given back by suspects that find no room: they come back later', async () => {
    const box = bench({ maxConcurrentCalls: 1 });
    const progress = [{ pairs: 40, suspicion: 1 }];
    let letIn = () => {};
    box.quota.door = new Promise(resolve => {
      letIn = resolve;
    });
    box.enqueue(times(3, 40), { progress });
    await box.start();
    await eventually(() => expect([...box.queue.moves.values()]).toEqual(times(2, ['delay'])));
    letIn();
    box.caller.says = created;
    await box.idle();
    expect(Object.values(endsOf(box)).sort()).toEqual(['completed', 'delay', 'delay']);
    expect(new Set(box.caller.sizes)).toEqual(new Set([5]));
    expect(box.quota.asked.every(({ spread }) => spread)).toBe(true);
  });
});

describe('holds', () => {
  it('of the account give everything back that waits, for as long as they last', async () => {
    const box = bench();
    box.quota.answers.push(
      ...times(2, { kind: 'held', forMs: LONG, holdKind: 'auth', reason: '401' } as const),
    );
    const jobs = box.enqueue([10, 3]);
    await box.start();
    await box.idle();
    expect([endsOf(box), box.caller.calls, box.queue.holds]).toEqual([
      endAs(jobs, 'put back'),
      [],
      times(2, LONG),
    ]);
  });

  it('of an object pair give back its jobs, and no others', async () => {
    const box = bench();
    box.quota.held.set('contacts/companies', { until: Date.now() + LONG, reason: '403', strikes: 1 });
    box.caller.says = created;
    const held = box.enqueue([10]);
    const others = box.enqueue([10], { fromObjectType: 'deals' });
    await box.start();
    await box.idle();
    expect(endsOf(box)).toEqual({ ...endAs(held, 'delay'), ...endAs(others, 'completed') });
  });

  it.each([
    [true, 'completed'],
    [false, 'delay'],
  ])('that are over let one batch find out (this one: %s), and what it becomes', async (isProbe, end) => {
    const box = bench();
    box.quota.isProbe = isProbe;
    box.quota.held.set('contacts/companies', { until: 0, reason: '403', strikes: 1 });
    box.caller.says = created;
    const jobs = box.enqueue([10]);
    await box.start();
    await box.idle();
    expect(endsOf(box)).toEqual(endAs(jobs, end));
    expect(box.quota.released).toEqual(isProbe ? [] : ['p1']);
  });
});

describe('its end', () => {
  it('flushed, sends what waits, as small as it is', async () => {
    const box = bench({ batchLingerMs: LONG, maxConcurrentCalls: 1 });
    box.enqueue([10]);
    const [lingering = ''] = box.enqueue([3], { fromObjectType: 'deals' });
    await box.start();
    await calls(box, 1);
    await eventually(() => expect(box.pipeline.state().unbatched).toBe(3));
    const stopped = box.stop({ abort: false });
    box.caller.says = created;
    box.caller.answerAll();
    await stopped;
    expect(endsOf(box)).toMatchObject({ [lingering]: 'completed' });
    expect(box.batches.map(({ batch }) => batch.trigger)).toContain('flush');
  });

  it.each<[string, (box: PipelineBench) => Promise<unknown>]>([
    ['before it has begun', async () => {}],
    [
      'while partial batches linger',
      async box => {
        box.enqueue([3]);
        await box.start();
        await eventually(() => expect(box.pipeline.state().unbatched).toBe(3));
      },
    ],
    [
      'while it waits for a permit',
      async box => {
        box.quota.answers.push(...times(9, { waitMs: LONG }));
        box.enqueue([10, 10]);
        await box.start();
        await eventually(() => expect(box.quota.asked.length).toBeGreaterThan(0));
        await turns();
      },
    ],
    [
      'while calls are in flight, and batches wait for slots',
      async box => {
        box.quota.answers.push(...times(9, { waitMs: 1 }));
        box.enqueue(times(9, 10));
        await box.start();
        await calls(box, 2);
        await turns();
      },
    ],
    [
      'while calls are in flight, and batches are sealed ahead',
      async box => {
        box.enqueue(times(9, 10));
        await box.start();
        await calls(box, 4);
      },
    ],
    [
      'while a batch is searched',
      async box => {
        box.enqueue([10]);
        await box.start();
        await calls(box, 1);
        const body = { status: 'error', message: 'no', category: 'VALIDATION_ERROR' };
        box.caller.calls[0]?.answer({ kind: 'answer', at: new Date().toISOString(), status: 400, body });
        await calls(box, 2);
      },
    ],
    [
      'while Redis refuses permits',
      async box => {
        box.quota.trouble.comes('ask', Number.POSITIVE_INFINITY);
        box.enqueue([10]);
        await box.start();
        await turns();
      },
    ],
  ])('at once, %s, gives every job back, once, and leaves no call and no slot', async (_, until) => {
    const box = bench({ batchLingerMs: LONG });
    await until(box);
    const jobs = [...box.queue.waiting.map(({ id }) => id)];
    await box.stop();
    const ends = endsOf(box);
    for (const end of Object.values(ends)) expect(end).toBe('put back');
    for (const id of jobs) expect([id, ends[id]]).not.toEqual([id, 'completed']);
    expect(box.caller.open.size).toBe(0);
  });
});

describe('a Redis that throws', () => {
  it.each(['ask', 'release', 'probePairs', 'next', 'take'])(
    'at %s, costs a second, and every job ends once',
    async method => {
      const box = bench();
      if (method === 'release')
        box.quota.answers.push(
          { slot: { at: clock() - 1_000, graceMs: 60 } },
          { slot: { at: clock() + LONG, graceMs: 60 } },
        );
      if (method === 'probePairs')
        box.quota.held.set('contacts/companies', { until: 0, reason: '403', strikes: 1 });
      const place = method === 'next' || method === 'take' ? box.queue : box.quota;
      place.trouble.comes(method);
      box.caller.says = created;
      const jobs = box.enqueue([10, 10, 3]);
      await box.start();
      await eventually(() => expect(Object.keys(endsOf(box))).toHaveLength(3));
      expect(place.trouble.isOver).toBe(true);
      // pairs behind a probe that could not be requested come back and spend nothing
      const ends = method === 'probePairs' ? ['completed', 'delay'] : ['completed'];
      expect(jobs.filter(id => !ends.includes(endsOf(box)[id] ?? ''))).toEqual([]);
      await box.idle();
    },
  );
});
