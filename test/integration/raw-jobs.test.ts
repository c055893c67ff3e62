/**
 * Jobs as clients in other languages write them: bytes in Redis that our code did not make, with any options,
 * spelling and mistakes. docs/job.schema.json is all that such a client has, so each job is held against it here.
 */

import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { JobsOptions } from 'bullmq';
import Schema from 'typebox/schema';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { useRig } from '../support/rig.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);
const published = Schema.Compile(JSON.parse(readFileSync('docs/job.schema.json', 'utf8')));
beforeEach(() => rig.start());

/** @param text the exact content of the job's hash */
async function write(text: string, options: JobsOptions = {}): Promise<string> {
  const { id = '' } = await rig.queue.add('whatever', {}, options);
  await rig.redis.hset(bullmqKeys(rig.keys).jobs + id, 'data', text);
  return id;
}
/** As Python's json.dumps has it: spaces, and escapes for everything that is not ASCII. */
const pythonJson = (value: unknown): string =>
  JSON.stringify(value, null, 1)
    .replace(/\n */g, ' ')
    .replace(/[\u0080-\uffff]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
const job = (more: object) => ({ ...contactsToCompanies, ...more });
async function work(): Promise<void> {
  rig.startWorker();
  await rig.drained();
}

describe('a good job of another client', () => {
  const [first, second, third] = goodPairs(3);
  const jobs: [name: string, data: unknown, created: number][] = [
    ['as the schema has them', job({ pairs: [first, second, third] }), 3],
    ['ids as integers', job({ pairs: [[100_000_001, 500_000_001], first, second] }), 3],
    ['the same pair twice', job({ pairs: [first, second, first, first] }), 4],
    ['nothing to do', job({ pairs: [] }), 0],
    [
      'ids with leading zeros, beside the same ones without, and type ids as texts',
      job({
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: '279' }],
        pairs: [first, first?.map(id => `000${id}`), first?.map(Number)],
      }),
      3,
    ],
    [
      'fields that nobody knows, in words of any script',
      job({
        pairs: [first],
        types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279, label: 'x' }],
        tenant: 'Größe ✓',
        trace: { parent: ['00-1'], nested: { deep: null } },
      }),
      1,
    ],
    [
      'object types by id, source and request id',
      job({ fromObjectType: '0-1', toObjectType: '0-2', pairs: [first], source: 'crm', requestId: 'r-1' }),
      1,
    ],
  ];

  it('is created with each pair that it has', async () => {
    const ids: string[] = [];
    for (const [, data] of jobs) {
      expect(published.Check(data)).toBe(true);
      ids.push(await write(pythonJson(data)));
    }
    await work();
    for (const [at, [name, , created]] of jobs.entries()) {
      const done = await rig.queue.getJob(ids[at] ?? '');
      expect([name, done?.returnvalue]).toEqual([name, { created }]);
    }
    expect((await rig.totals()).created).toBe(jobs.reduce((sum, [, , created]) => sum + created, 0));
    expect(rig.simulator.ledger.createdCount()).toBe(3);
    expect(rig.simulator.ledger.duplicates).toBe(0);
  });

  it('may have 10,000 pairs, some twice and some bad: each pair is sent once, and unknown fields stay', async () => {
    const pairs = goodPairs(10_000);
    const bad: [string, string][] = [
      ['999000001', '500000001'],
      ['not-an-id', '500000002'],
    ];
    const data = job({ pairs: [...pairs, ...pairs.slice(0, 100), ...bad], tenant: 'Größe ✓' });
    expect(published.Check(data)).toBe(true);
    await write(pythonJson(data));
    await work();
    expect(rig.simulator.ledger.createdCount()).toBe(10_000);
    expect(await rig.totals()).toMatchObject({ created: 10_100, rejected: 2 });
    const [failed] = await rig.queue.getFailed();
    expect(failed?.data).toMatchObject({ tenant: 'Größe ✓', pairs: [] });
    expect([...(await rig.rejected()).keys()].sort()).toEqual(['999000001 500000001', 'not-an-id 500000002']);
  });

  it('does not decide over its attempts and its backoff', async () => {
    rig.simulator.script({ kind: 'status', status: 503, times: 2 });
    await write(JSON.stringify(job({ pairs: goodPairs(2) })), {
      attempts: 1,
      backoff: { type: 'fixed', delay: 3_600_000 },
    });
    await work();
    await rig.expectAccounted(goodPairs(2), []);
  });
});

describe('a job that is none of ours', () => {
  const pairs = goodPairs(2);
  const jobs: [name: string, data: unknown, places: string[]][] = [
    ['another version', job({ version: 2, pairs }), ['/version']],
    ['the version as a text', job({ version: '1', pairs }), ['/version']],
    ['no version', { ...job({ pairs }), version: undefined }, ['version']],
    [
      'several faults',
      job({
        toObjectType: 'a/b',
        types: [],
        pairs: [
          ['1', ''],
          ['2', '3', '4'],
          ['5', 6.5],
        ],
      }),
      ['/toObjectType', '/types', '/pairs/0/1', '/pairs/1', '/pairs/2/1'],
    ],
    [
      'HubSpot’s body instead of ours',
      { inputs: [{ from: { id: '1' }, to: { id: '2' } }] },
      ['version', 'pairs'],
    ],
    ['pairs as objects', job({ pairs: [{ from: '1', to: '2' }] }), ['/pairs/0']],
    ['a label instead of types', { ...job({ pairs, label: 'Chef' }), types: undefined }, ['types']],
    ['half an emoji as an id', job({ pairs: [...pairs, ['\ud800', '2']] }), ['/pairs/2/0']],
    ['half an emoji as the source', job({ pairs, source: 'crm \udc00' }), ['/source']],
    ['an id that reads from right to left', job({ pairs: [['\u202e1', '2']] }), ['/pairs/0/0']],
    ['null', null, ['/']],
    ['a list', [1], ['/']],
    ['a text', 'contacts', ['/']],
  ];

  it('fails at once with every fault and its bytes unchanged, and delays no other job', async () => {
    const written: [id: string, text: string][] = [];
    for (const [name, data] of jobs) {
      expect([name, published.Check(JSON.parse(JSON.stringify(data)))]).toEqual([name, false]);
      const text = pythonJson(data);
      written.push([await write(text), text]);
    }
    await write(JSON.stringify(job({ pairs })));
    await work();
    for (const [at, [name, , places]] of jobs.entries()) {
      const [id = '', text] = written[at] ?? [];
      const failed = await rig.queue.getJob(id);
      expect([name, await failed?.getState()]).toEqual([name, 'failed']);
      for (const place of places) expect(failed?.failedReason).toContain(place);
      expect(await rig.redis.hget(bullmqKeys(rig.keys).jobs + id, 'data')).toBe(text);
    }
    expect(rig.simulator.ledger.createdCount()).toBe(2);
    expect(rig.simulator.ledger.calls).toHaveLength(1);
  });

  // what no schema can say
  it.each<[string, object, string]>([
    ['half an emoji in a field of theirs', { note: ['x', '\ud83d'] }, '/note/1'],
    ['half an emoji as a name', { '\ud83d': 1 }, '/\ufffd'],
    ['nesting without end', { note: 'no end' }, '/note/0'],
    [
      'a type id past int32, as a text',
      { types: [{ associationCategory: 'WORK', associationTypeId: '2147483648' }] },
      '/types/0/associationTypeId',
    ],
  ])('fails at once while its neighbours are created: %s', async (_name, more, place) => {
    const endless = '['.repeat(5_000) + ']'.repeat(5_000);
    const text = JSON.stringify(job({ pairs, ...more })).replace('"no end"', endless);
    const id = await write(text);
    await write(JSON.stringify(job({ pairs })));
    await work();
    const failed = await rig.queue.getJob(id);
    expect(await failed?.getState()).toBe('failed');
    expect(failed?.failedReason).toContain(place);
    expect(await rig.redis.hget(bullmqKeys(rig.keys).jobs + id, 'data')).toBe(text);
    expect(await rig.totals()).toMatchObject({ created: 2, rejected: 0 });
  });
});
