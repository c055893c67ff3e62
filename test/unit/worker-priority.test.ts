/** High priority in the worker's parts: whose turn it is, what rides along, what is let into memory. */
import { describe, expect, it } from '@jest/globals';
import { Pairs } from '../../src/shared/contract/pairs.js';
import { Coalescer } from '../../src/worker/batches/lanes.js';
import { CREATED } from '../../src/worker/batches/outcome.js';
import { Prefetch } from '../../src/worker/jobs/prefetch.js';
import { CONTACT_TO_COMPANY, inputsIn, pairsOf, type Sample, submitTo } from '../support/worker-samples.js';

const LINGER_MS = 10;
const BACKLOG_LINGER_MS = 80;

function bench(maxInputs = 4) {
  let now = 0;
  let changes = 0;
  const coalescer = new Coalescer({
    maxInputs,
    lingerMs: high => (high ? LINGER_MS : BACKLOG_LINGER_MS),
    now: () => now,
    onChange: () => {
      changes += 1;
    },
  });
  const submit = (fromObjectType: string, first: number, count: number, more: Partial<Sample> = {}) =>
    submitTo(coalescer, {
      fromObjectType,
      toObjectType: 'companies',
      types: [CONTACT_TO_COMPANY],
      pairs: Pairs.of(pairsOf(first + count - 1).slice(first - 1)),
      suspicion: 0,
      ...more,
    });
  const seal = () => {
    const batch = coalescer.seal();
    batch?.inputs.settleRest(CREATED);
    const ids = batch && inputsIn(batch.inputs).map(({ from }) => from);
    return batch && `${batch.trigger} ${batch.fromObjectType} ${ids}`;
  };
  return {
    coalescer,
    submit,
    seal,
    pass: (ms: number) => {
      now += ms;
    },
    get changes() {
      return changes;
    },
  };
}

describe('a batch', () => {
  it('begins with high priority, in its own order, and is filled with the others', async () => {
    const { coalescer, submit, seal } = bench();
    submit('contacts', 1, 3);
    submit('contacts', 11, 1, { high: true });
    submit('contacts', 21, 2, { high: true });
    submit('contacts', 31, 2);
    expect(coalescer.next()).toEqual({ full: true });
    expect(seal()).toBe('full contacts 11,21,22,1');
    submit('contacts', 41, 1, { high: true });
    expect(seal()).toBe('full contacts 41,2,3,31');
  });

  it('says how many of it are of high priority', () => {
    const { coalescer, submit } = bench();
    submit('contacts', 1, 3, { high: true });
    submit('contacts', 11, 3);
    expect(coalescer.seal()?.high).toBe(3);
    submit('contacts', 21, 9, { high: true });
    expect(coalescer.seal()?.high).toBe(4);
  });
});

describe('a lane with high priority', () => {
  it('takes a call that is about to go for another lane, and every other one at most', () => {
    const { submit, seal, pass } = bench();
    submit('contacts', 1, 100);
    pass(1);
    const turns: (string | undefined)[] = [];
    for (let call = 0; call < 6; call++) {
      submit('deals', 1 + call, 1, { high: true });
      turns.push(seal());
    }
    expect(turns).toEqual([
      'high deals 1',
      'full contacts 1,2,3,4',
      'high deals 2,3',
      'full contacts 5,6,7,8',
      'high deals 4,5',
      'full contacts 9,10,11,12',
    ]);
  });

  it('is ready after a linger, also while others wait longer for company, and says so at once', () => {
    const box = bench();
    box.submit('contacts', 1, 1);
    expect(box.coalescer.lingersUntil()).toBe(BACKLOG_LINGER_MS);
    const { changes } = box;
    box.submit('deals', 1, 1, { high: true });
    expect(box.changes).toBe(changes + 1);
    expect(box.coalescer.lingersUntil()).toBe(LINGER_MS);
    expect(box.coalescer.next()).toBeUndefined(); // no call of its own before company could come
    box.pass(LINGER_MS);
    expect(box.seal()).toBe('linger deals 1');
    expect(box.seal()).toBeUndefined();
  });

  it('rides without a full batch of its own where only full ones may go', () => {
    const { coalescer, submit } = bench();
    submit('deals', 1, 1, { high: true });
    expect(coalescer.next(false)).toBeUndefined();
    expect(coalescer.seal(false)).toBeUndefined();
    submit('contacts', 1, 5);
    expect(coalescer.next(false)).toEqual({ full: true });
    expect(coalescer.seal(false)).toMatchObject({ fromObjectType: 'deals', trigger: 'high' });
    expect(coalescer.seal(false)).toMatchObject({ fromObjectType: 'contacts', trigger: 'full' });
  });
});

it('a full memory lets high priority in, up to once more its bound, also where it is stretched', () => {
  const prefetch = new Prefetch({ associations: 1_000, jobs: 10 });
  for (const size of [500, 500, 500]) prefetch.fetched(size);
  expect([prefetch.hasRoom, prefetch.hasReserve]).toEqual([false, true]);
  prefetch.fetched(500);
  expect(prefetch.hasReserve).toBe(false);
  prefetch.widen();
  expect([prefetch.hasRoom, prefetch.hasReserve]).toEqual([false, true]);
  for (let calls = 0; calls < 100; calls++) prefetch.narrow();
  for (const size of [500, 500, 500]) prefetch.ended(size);
  expect([prefetch.hasRoom, prefetch.hasReserve]).toEqual([true, true]);
});
