/** A worker works with an unknown release of BullMQ, and reports that in its log, metrics and readiness. */
import { expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

it('it is ready, its log warns once, /readyz has a note, and a metric is 0', async () => {
  await rig.start({ way: 'public', env: { METRICS_PORT: '29464' } });
  const good = goodPairs(300);
  await rig.enqueue(good, 100);
  const worker = rig.startWorker();
  await rig.drained();
  await rig.expectAccounted(good, []);
  const port = /"event":"metrics"[^\n]*"port":(\d+)/.exec(worker.output())?.[1];
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  await eventually(async () =>
    expect(JSON.parse(await ask('/readyz'))).toEqual({
      ...{ status: 'ready', reasons: [] },
      notes: [expect.stringMatching(/^the worker does not know the scripts of BullMQ \d/)],
    }),
  );
  expect(await ask('/metrics')).toContain('association_worker_bullmq_known 0\n');
  expect(worker.output().match(/"event":"bullmq"/g)).toHaveLength(1);
});
