/** Jobs end to end through the pipeline that main.ts builds, over fakes: no Redis, no thread. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { created, endsOf, type PipelineBench, pipelineBench } from '../../support/fake-pipeline.js';
import { AT, answerOf, createdBody, type Input } from '../../support/worker-samples.js';

let box: PipelineBench;
beforeEach(() => {
  box = pipelineBench();
  box.caller.says = created;
});
afterEach(async () => {
  if (!box.queue.isClosed) await box.stop();
});

const entry = (id: string | undefined) => box.ledger.entries.find(({ jobId }) => jobId === id);
const refusal = (more: object) => ({
  status: 'error',
  message: 'invalid',
  category: 'VALIDATION_ERROR',
  ...more,
});
/** HubSpot names the input with this id as invalid, and accepts the others. */
const naming = (id: string) => (inputs: readonly Input[]) => {
  const bad = inputs.filter(({ from }) => from === id);
  if (bad.length === 0) return created(inputs);
  const errors = [refusal({ context: { fromObjectId: [id] } })];
  return answerOf(
    207,
    createdBody(
      inputs.filter(input => !bad.includes(input)),
      { errors, numErrors: 1 },
    ),
  );
};

describe('a job', () => {
  it('that HubSpot creates is settled and completed in one step, with the ids of its batches', async () => {
    const [job] = box.enqueue([25]);
    await box.start();
    await box.idle();
    expect(box.ledger.entries).toHaveLength(1);
    expect(entry(job)).toMatchObject({ created: 25, batches: 'w-1 w-2 w-3', finish: { state: 'completed' } });
    expect([box.caller.sizes, box.queue.moves.size]).toEqual([[10, 10, 5], 0]);
  });

  it('shares calls with others, each record pair once, and gets the outcomes of its pairs only', async () => {
    const jobs = box.enqueue([1, 1, 3, 5]);
    await box.start();
    await box.idle();
    expect(box.caller.sizes).toEqual([10]);
    expect(jobs.map(id => entry(id)?.created)).toEqual([1, 1, 3, 5]);
    expect(box.batches.map(({ report }) => report.counts)).toEqual([
      { created: 10, retry: 0, rejected: 0, held: 0 },
    ]);
  });

  it('of which HubSpot refuses a pair by name fails with it, and its neighbours do not', async () => {
    box.caller.says = naming('2');
    const [bad, good] = box.enqueue([5, 5]);
    await box.start();
    await box.idle();
    expect(entry(bad)).toMatchObject({ created: 4, rejected: 1, finish: { state: 'failed' } });
    expect(entry(bad)?.data?.rejected).toMatchObject([{ pairs: [['2', '1000002']] }]);
    expect(entry(good)).toMatchObject({ created: 5, rejected: 0, finish: { state: 'completed' } });
  });

  it('of which HubSpot refuses a pair without naming it loses no other: the batch is searched', async () => {
    box.caller.says = inputs =>
      inputs.some(({ from }) => from === '7') ? answerOf(400, refusal({})) : created(inputs);
    const jobs = box.enqueue([5, 5]);
    await box.start();
    await box.idle();
    expect(jobs.map(id => [entry(id)?.created, entry(id)?.rejected])).toEqual([
      [5, 0],
      [4, 1],
    ]);
  });

  it('that meets an outage is settled as a retry and delayed', async () => {
    box.caller.says = () => ({ kind: 'none', at: AT, category: 'TIMEOUT', message: 'no answer' });
    const [job] = box.enqueue([10]);
    await box.start();
    await box.idle();
    expect(entry(job)).toMatchObject({ created: 0, retried: 10, finish: undefined });
    expect(endsOf(box)).toEqual({ [job ?? '']: 'retry' });
  });

  it('that nobody can read fails at once, with what is wrong, and costs no call', async () => {
    const [job = ''] = box.enqueue([1], { version: 99 as 1 });
    await box.start();
    await box.idle();
    expect(endsOf(box)[job]).toMatch(/^fail: invalid job data: /);
    expect(box.caller.calls).toEqual([]);
  });

  it('that another worker has by now is left to it; one that could not be settled comes back', async () => {
    box.ledger.says.push(false, new Error('OOM'), true);
    const [lost = '', full = '', good = ''] = box.enqueue([3, 3, 4], { source: 'test' });
    await box.start();
    await box.idle();
    expect(box.queue.moves.get(lost)).toBeUndefined();
    expect(box.queue.moves.get(full)).toEqual(['retry']);
    expect(box.queue.moves.get(good)).toBeUndefined();
  });
});

describe('many jobs', () => {
  it('of every size and object pair end once each, whatever HubSpot answers', async () => {
    let call = 0;
    box.caller.says = inputs => {
      call += 1;
      if (call % 7 === 0) return answerOf(503, undefined);
      if (call % 5 === 0) return { kind: 'none', at: AT, category: 'CONNECTION_ERROR', message: 'reset' };
      if (call % 3 === 0) return answerOf(400, refusal({}));
      return created(inputs);
    };
    const jobs: string[] = [];
    for (let at = 0; at < 300; at++)
      jobs.push(...box.enqueue([1 + (at % 23)], { fromObjectType: `from${at % 3}`, high: at % 50 === 0 }));
    box.quota.high = () => box.queue.waiting.filter(({ high }) => high).length;
    await box.start();
    await box.idle();
    const ends = endsOf(box);
    expect(Object.keys(ends).sort()).toEqual([...jobs].sort());
    expect(Object.values(ends)).toContain('completed');
  });

  it('are put back unread when the worker is stopped, and those at work are sent', async () => {
    box.caller.says = undefined;
    const jobs = box.enqueue(new Array<number>(20).fill(10));
    await box.start();
    await eventually(() => expect(box.caller.open.size).toBe(4));
    const stopped = box.stop({ abort: false });
    box.caller.says = created;
    box.caller.answerAll();
    await stopped;
    const ends = Object.values(endsOf(box));
    expect(ends.filter(end => end === 'completed').length).toBeGreaterThanOrEqual(4);
    expect(ends.filter(end => end === 'put back').length).toBeGreaterThan(0);
    expect(ends.length + box.queue.waiting.length).toBe(jobs.length);
  });
});

it('says what is in it: for the heartbeat and for metrics', async () => {
  box.caller.says = undefined;
  expect(box.pipeline.state()).toEqual({
    ...{
      isRunning: false,
      isStopping: false,
      isStandby: false,
      isStretched: false,
      isHeld: false,
      jobs: 0,
      associations: 0,
      unbatched: 0,
      inFlight: 0,
    },
    search: { inputs: 0, invalid: 0, calls: 0, suspectCalls: 0 },
    fetching: { ms: 0, error: undefined },
  });
  box.enqueue([10]);
  await box.start();
  await eventually(() =>
    expect(box.pipeline.state()).toMatchObject({
      ...{ isRunning: true, jobs: 1, associations: 10, unbatched: 0, inFlight: 1 },
      search: { calls: 1 },
    }),
  );
});

describe('a request that somebody takes back', () => {
  it('is given back before its next call: unread, in a lane, and partly in a call; other requests go on', async () => {
    box.caller.says = undefined;
    const mine = box.enqueue([15, 10, 10, 10, 10, 10, 10], { requestId: 'r' });
    const theirs = box.enqueue([10, 10], { requestId: 's' });
    await box.start();
    await eventually(() => expect(box.caller.open.size).toBe(4)); // two in flight, two sealed
    box.cancel('r');
    box.caller.says = created;
    box.caller.answerAll();
    await box.idle();
    const ends = endsOf(box);
    const [delay, completed] = ['delay', 'completed'];
    expect(mine.map(id => ends[id])).toEqual([completed, completed, completed, delay, delay, delay, delay]);
    expect(theirs.map(id => ends[id])).toEqual([completed, completed]);
    expect(entry(mine[3])).toMatchObject({ created: 5, data: { pairs: { length: 5 } } });
    expect(mine.slice(4).map(entry)).toEqual([undefined, undefined, undefined]);
  });

  it('is given back when it is fetched later, and spends nothing', async () => {
    box.cancel('r');
    const [mine] = box.enqueue([10], { requestId: 'r' });
    const [theirs] = box.enqueue([10], { requestId: 's' });
    await box.start();
    await box.idle();
    expect(endsOf(box)).toEqual({ [mine ?? '']: 'delay', [theirs ?? '']: 'completed' });
    expect(box.ledger.entries.map(({ jobId }) => jobId)).toEqual([theirs]);
  });

  it('ends a job without a call if its associations were taken back already; a dead letter keeps its rejections', async () => {
    const rejected = [{ error: { at: AT, attempt: 1, message: 'bad', pairs: 1 }, pairs: [['1', '2']] }];
    const [empty, letter] = [
      ...box.enqueue([0], { requestId: 'r', cancelled: 4 }),
      ...box.enqueue([0], { requestId: 'r', cancelled: 4, rejected: rejected as never }),
    ];
    await box.start();
    await box.idle();
    expect(endsOf(box)).toEqual({ [empty ?? '']: 'completed', [letter ?? '']: 'failed' });
    expect(entry(letter)?.data).toMatchObject({ pairs: [], rejected });
    expect(entry(letter)?.data).not.toHaveProperty('cancelled');
    expect(box.caller.calls).toEqual([]);
  });
});
