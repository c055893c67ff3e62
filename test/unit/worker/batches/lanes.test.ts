/** High priority in the lanes: which lane is next, and which other pairs go with it. */
import { describe, expect, it } from '@jest/globals';
import { Pairs } from '../../../../src/shared/contract/pairs.js';
import { CREATED } from '../../../../src/worker/batches/outcome.js';
import { CONTACT_TO_COMPANY } from '../../../support/samples.js';
import { inputsIn, pairsOf, type Sample, SampleLanes, submitTo } from '../../../support/worker-samples.js';

const LINGER_MS = 10;
const BACKLOG_LINGER_MS = 80;

function bench(maxInputs = 4) {
  const lanes = new SampleLanes(maxInputs, { lingerMs: BACKLOG_LINGER_MS, highLingerMs: LINGER_MS });
  const submit = (fromObjectType: string, first: number, count: number, more: Partial<Sample> = {}) =>
    submitTo(lanes, {
      fromObjectType,
      toObjectType: 'companies',
      types: [CONTACT_TO_COMPANY],
      pairs: Pairs.of(pairsOf(first + count - 1).slice(first - 1)),
      suspicion: 0,
      ...more,
    });
  const seal = () => {
    const batch = lanes.sealOne();
    batch?.inputs.settleRest(CREATED);
    const ids = batch && inputsIn(batch.inputs).map(({ from }) => from);
    return batch && `${batch.trigger} ${batch.fromObjectType} ${ids}`;
  };
  return { lanes, submit, seal };
}

describe('a batch', () => {
  it('begins with high priority, in its own order, and is filled with the others', async () => {
    const { lanes, submit, seal } = bench();
    submit('contacts', 1, 3);
    submit('contacts', 11, 1, { high: true });
    submit('contacts', 21, 2, { high: true });
    submit('contacts', 31, 2);
    expect(lanes.nextOne()).toEqual({ full: true });
    expect(seal()).toBe('full contacts 11,21,22,1');
    submit('contacts', 41, 1, { high: true });
    expect(seal()).toBe('full contacts 41,2,3,31');
  });

  it('says how many of it are of high priority', () => {
    const { lanes, submit } = bench();
    submit('contacts', 1, 3, { high: true });
    submit('contacts', 11, 3);
    expect(lanes.sealOne()?.high).toBe(3);
    submit('contacts', 21, 9, { high: true });
    expect(lanes.sealOne()?.high).toBe(4);
  });
});

describe('a lane with high priority', () => {
  it('takes a call that is about to go for another lane, and every other one at most', () => {
    const { lanes, submit, seal } = bench();
    submit('contacts', 1, 100);
    lanes.pass(1);
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

  it('is ready after a linger, also while others linger longer, and notifies at once', () => {
    const box = bench();
    box.submit('contacts', 1, 1);
    expect(box.lanes.nextLinger()).toBe(BACKLOG_LINGER_MS);
    const { changes } = box.lanes;
    box.submit('deals', 1, 1, { high: true });
    expect(box.lanes.changes).toBe(changes + 1);
    expect(box.lanes.nextLinger()).toBe(LINGER_MS);
    expect(box.lanes.nextOne()).toBeUndefined(); // no separate call before other pairs could arrive
    box.lanes.pass(LINGER_MS);
    expect(box.seal()).toBe('linger deals 1');
    expect(box.seal()).toBeUndefined();
  });

  it('rides without a full batch of its own where only full ones may go', () => {
    const { lanes, submit } = bench();
    submit('deals', 1, 1, { high: true });
    expect(lanes.nextOne(false)).toBeUndefined();
    expect(lanes.sealOne(false)).toBeUndefined();
    submit('contacts', 1, 5);
    expect(lanes.nextOne(false)).toEqual({ full: true });
    expect(lanes.sealOne(false)).toMatchObject({ fromObjectType: 'deals', trigger: 'high' });
    expect(lanes.sealOne(false)).toMatchObject({ fromObjectType: 'contacts', trigger: 'full' });
  });
});
