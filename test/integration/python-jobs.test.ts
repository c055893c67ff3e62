/** Jobs of the package bullmq for Python: the bytes that it writes, taken by our worker, in both ways through BullMQ. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import Schema from 'typebox/schema';
import { addAsPython, type PythonOptions, pythonJson } from '../support/python-bullmq.js';
import { useRig, WAYS } from '../support/rig.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const published = Schema.Compile(JSON.parse(readFileSync('docs/job.schema.json', 'utf8')));
const [first, second, third, fourth] = goodPairs(4);
const GONE = ['999000001', '500000001'];

describe.each(WAYS)('a job that Python adds, in the %s way', way => {
  beforeEach(() => rig.start({ way }));
  const add = (data: object, options?: PythonOptions) => {
    expect(published.Check(data)).toBe(true);
    return addAsPython(rig.redis, rig.keys, 'associate', pythonJson(data), options);
  };

  it('is created, with whatever options, and its rejections keep its other fields', async () => {
    const plain = await add({ ...contactsToCompanies, pairs: [first], source: 'Größe 😀' });
    const own = await add({ ...contactsToCompanies, pairs: [second] }, { jobId: 'order-4711', attempts: 1 });
    const high = await add({ ...contactsToCompanies, pairs: [third] }, { priority: 1 });
    const bad = await add(
      { ...contactsToCompanies, pairs: [fourth, GONE], source: 'Größe 😀', tenant: 'ß' },
      { attempts: 3, backoff: { type: 'fixed', delay: 3_600_000 } },
    );
    rig.startWorker();
    await rig.drained();
    for (const id of [plain, own, high])
      expect([id, (await rig.queue.getJob(id))?.returnvalue]).toEqual([id, { created: 1 }]);
    const failed = await rig.queue.getJob(bad);
    expect(await failed?.getState()).toBe('failed');
    expect(failed?.data).toMatchObject({
      source: 'Größe 😀',
      tenant: 'ß',
      pairs: [],
      rejected: [{ pairs: [GONE] }],
    });
    expect(await rig.totals()).toMatchObject({ created: 4, rejected: 1 });
    expect(rig.simulator.ledger.duplicates).toBe(0);
  });

  it('is tried again although its attempts are 0, which is what Python writes', async () => {
    rig.simulator.script({ kind: 'status', status: 503, times: 2 });
    await add({ ...contactsToCompanies, pairs: [first, second] });
    rig.startWorker();
    await rig.drained();
    expect(await rig.totals()).toMatchObject({ created: 2, rejected: 0 });
  });
});
