/**
 * Only as many replicas fetch as are useful (docs/decisions/0058), in real processes: one for a few jobs. Another one steps
 * in at once when it ends, and soon when it is killed.
 */
import { expect, it } from '@jest/globals';
import type { Pair } from '../../src/shared/contract/association.js';
import { hearReplicas } from '../../src/shared/state/worker-reports.js';
import { eventually } from '../support/eventually.js';
import type { CliProcess } from '../support/process.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const FETCHES = 'this replica fetches jobs';

/** @returns the only one of these processes that fetches, its id, and the others */
function working(workers: readonly CliProcess[]) {
  return eventually(async () => {
    const alive = await hearReplicas(rig.redis, rig.keys);
    const reports = workers.map(worker => alive.find(({ pid }) => pid === worker.process.pid));
    const states = reports.map(report => report?.state);
    expect(states.filter(state => state === 'standby')).toHaveLength(workers.length - 1);
    // one that has not finished its start may go to the end of the row
    const at = states.findIndex(state => state === 'idle' || state === 'gathering' || state === 'sending');
    const [worker, id] = [workers[at], reports[at]?.id];
    if (!worker || !id) throw new Error('none of them has reported');
    return { worker, id, others: workers.filter(other => other !== worker) };
  });
}

/** The replicas that sent batches, in order. */
async function senders(): Promise<string[]> {
  const batches = await rig.redis.xrange(rig.keys.batches, '-', '+');
  const ids = batches.map(([, fields]) => fields[fields.indexOf('id') + 1] ?? '');
  return [...new Set(ids.map(id => id.split('-')[0] ?? ''))];
}

it('one of three replicas works on a few jobs; another one steps in at once when it ends, and when it is killed', async () => {
  await rig.start();
  const pairs = goodPairs(100);
  let enqueued = 0;
  const enqueue = async (count: number): Promise<readonly Pair[]> => {
    const some = pairs.slice(enqueued, enqueued + count);
    enqueued += count;
    await rig.enqueue(some, 1);
    return some;
  };
  const created = (some: readonly Pair[]) =>
    eventually(() => {
      const { ledger } = rig.simulator;
      expect(some.filter(pair => !ledger.has('contacts', 'companies', ...pair))).toEqual([]);
    });
  const inHand = (count: number) =>
    eventually(async () => expect(await rig.queue.getActiveCount()).toBe(count));

  const first = await working([rig.startWorker(), rig.startWorker(), rig.startWorker()]);
  for (let at = 0; at < 4; at++) await created(await enqueue(3));
  // on a starved machine the reserve may take the first one for stuck, and says so
  const steppedIn = first.others.some(other => other.output().includes(FETCHES));
  expect((await senders()).slice(0, steppedIn ? 1 : undefined)).toEqual([first.id]);

  rig.simulator.setOptions({ latencyMs: 2_000 });
  await enqueue(1);
  await inHand(1);
  const ending = first.worker.end();
  // while the first still waits for its answer
  await eventually(() => expect(first.others.map(other => other.output()).join()).toContain(FETCHES));
  expect(await rig.queue.getActiveCount()).toBe(1);
  rig.simulator.setOptions({ latencyMs: 0 });
  await created(await enqueue(1));
  expect(await ending).toBe(0);

  const second = await working(first.others);
  rig.simulator.setOptions({ latencyMs: 60_000 });
  const lost = await enqueue(5);
  await inHand(5);
  await second.worker.end('SIGKILL');
  rig.simulator.setOptions({ latencyMs: 0 });
  await created(await enqueue(1)); // the reserve sees that nobody fetches it
  await created(lost); // their locks expire
  // a batch is recorded after HubSpot's answer
  await eventually(async () => expect(await senders()).toHaveLength(3));
  await rig.drained();
  await rig.expectAccounted(pairs.slice(0, enqueued), []);
});
