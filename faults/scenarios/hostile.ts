/** Hostile input of clients: invalid jobs, oversized requests. Other clients must not wait because of it. */

import { connect } from 'node:net';
import { peakMemory } from '../../bench/support/processes.js';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { grouped, seconds } from '../support/check.js';
import { goodPairs, happens, OBJECT_PAIR } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const LONE = '\ud800';
const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

/** Data of jobs, all of them invalid. */
const HOSTILE_JOBS: readonly unknown[] = [
  null,
  'text',
  [],
  { ...OBJECT_PAIR },
  { ...OBJECT_PAIR, version: 2, pairs: [['1', '2']] },
  { ...OBJECT_PAIR, pairs: [[LONE, '2']] },
  { ...OBJECT_PAIR, pairs: [['1', `9${LONE}`]] },
  { ...OBJECT_PAIR, pairs: [['x'.repeat(100_000), '2']] },
  { ...OBJECT_PAIR, pairs: [['1 2', '3']] },
  { ...OBJECT_PAIR, pairs: [[2 ** 53, '2']] },
  { ...OBJECT_PAIR, pairs: nested(500) },
  { ...OBJECT_PAIR, fromObjectType: '../../oauth', pairs: [['1', '2']] },
  { ...OBJECT_PAIR, types: [], pairs: [['1', '2']] },
  {
    ...OBJECT_PAIR,
    types: [{ associationCategory: '__proto__', associationTypeId: 1 }],
    pairs: [['1', '2']],
  },
];

export const hostileJobs: Scenario = {
  name: 'hostile-jobs',
  fault: 'Jobs in the queue have any content',
  how: `${HOSTILE_JOBS.length} kinds, eight times each, between good jobs of 50: no object, wrong version, lone surrogates, 100,000 characters, unsafe numbers, deep nesting, paths; one id in wait whose key is a list`,
  must: 'each of them fails at once, names its faults and keeps its data; the good ones are created at full speed',
  tests: ['test/integration/raw-jobs.test.ts', 'test/integration/worker-poison.test.ts'],
  seconds: 20,
  async run(rig, check) {
    const pairs = goodPairs(40_000);
    for (let part = 0; part < 8; part++) {
      await rig.enqueue(pairs.slice(part * 5_000, (part + 1) * 5_000), 50);
      await rig.queue.addBulk(HOSTILE_JOBS.map(data => ({ name: 'associate', data: data as never })));
    }
    await rig.redis.rpush(`${bullmqKeys(rig.keys).jobs}no-hash`, 'a list');
    await rig.redis.lpush(bullmqKeys(rig.keys).wait, 'no-hash', 'no-key');
    await rig.startWorker();
    const since = performance.now();
    const created = await happens(async () => (await rig.counter('created')) >= pairs.length, 60_000);
    check.must('the good ones are created after', seconds(performance.now() - since), created);
    const failed = await rig.queue.getFailedCount();
    check.must('failed jobs', failed, failed >= 8 * HOSTILE_JOBS.length);
    const named = (await rig.queue.getFailed(0, 500)).filter(job => job.failedReason?.startsWith('invalid'));
    check.must('with their faults named', named.length, named.length >= 8 * HOSTILE_JOBS.length);
    await rig.drains(check, 30_000);
    const totals = [await rig.counter('created'), await rig.counter('rejected')];
    check.must(
      'created and rejected in the totals',
      totals.join(' + '),
      totals[0] === pairs.length && totals[1] === 0,
    );
  },
};

const CREATE = '/crm/v4/associations/contacts/companies/batch/create';
const input = (from: number, typeId: number) => ({
  from: { id: String(from) },
  to: { id: String(from + 1) },
  types: [{ associationCategory: 'USER_DEFINED', associationTypeId: typeId }],
});

export const gatewayTypeLists: Scenario = {
  name: 'gateway-type-lists',
  fault: 'A request to the gateway has 50,000 different lists of types',
  how: 'twice, with small requests beside it',
  must: 'it is refused by index (400), nothing of it is enqueued, and the small requests are answered quickly',
  tests: ['test/unit/gateway/inputs/type-lists.test.ts'],
  seconds: 20,
  async run(rig, check) {
    const gateway = await rig.start(['gateway'], { GATEWAY_PORT: '0' }, /"event":"started"/);
    const url = urlOf(gateway.said());
    const body = JSON.stringify({ inputs: Array.from({ length: 50_000 }, (_, n) => input(n + 1, n + 1)) });
    const post = (text: string) =>
      fetch(url + CREATE, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text });
    let ended = false;
    const large = post(body).finally(() => {
      ended = true;
    });
    let slowest = 0;
    let small = 0;
    while (!ended) {
      const since = performance.now();
      const answer = await post(JSON.stringify({ inputs: [input(900_000 + small, 36)] }));
      await answer.text();
      slowest = Math.max(slowest, performance.now() - since);
      small += 1;
    }
    const { status } = await large;
    check.must('answer', status, status === 400);
    check.must('slowest small request beside it', seconds(slowest), slowest < 2_000);
    check.must(
      'the gateway’s memory at its peak',
      `${grouped(peakMemory(gateway) ?? 0)} MiB`,
      (peakMemory(gateway) ?? 0) < 400,
    );
    const jobs = await rig.queue.getJobCounts('waiting');
    check.must('jobs enqueued', jobs.waiting ?? 0, (jobs.waiting ?? 0) <= small);
  },
};

export const gatewayAnnounced: Scenario = {
  name: 'gateway-announced-bodies',
  fault: 'Sockets announce bodies of 25 MB to the gateway and send nothing',
  how: 'eight of them; then small requests and one large one',
  must: 'all of those are answered as usual',
  tests: ['test/integration/gateway-wire.test.ts', 'test/unit/gateway/body/budget.test.ts'],
  seconds: 15,
  async run(rig, check) {
    const gateway = await rig.start(['gateway'], { GATEWAY_PORT: '0' }, /"event":"started"/);
    const url = new URL(urlOf(gateway.said()));
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(Number(url.port), url.hostname);
      socket.on('error', () => {});
      const head = `POST ${CREATE} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\n`;
      socket.write(`${head}Content-Length: 25000000\r\n\r\n`);
      return socket;
    });
    await happens(() => sockets.every(({ bytesWritten }) => bytesWritten > 0), 5_000);
    const post = async (count: number) => {
      const body = JSON.stringify({ inputs: Array.from({ length: count }, (_, n) => input(n + 1, 36)) });
      const headers = { 'content-type': 'application/json' };
      const since = performance.now();
      const { status } = await fetch(url.origin + CREATE, { method: 'POST', headers, body });
      return { status, ms: performance.now() - since };
    };
    const small = await Promise.all(Array.from({ length: 50 }, () => post(1)));
    const refused = small.filter(({ status }) => status !== 201).length;
    check.must('of 50 small requests refused', refused, refused === 0);
    check.must(
      'slowest',
      seconds(Math.max(...small.map(({ ms }) => ms))),
      small.every(({ ms }) => ms < 2_000),
    );
    const large = await post(20_000);
    check.must(
      'a request of 20,000 inputs',
      `${large.status} after ${seconds(large.ms)}`,
      large.status === 201 && large.ms < 10_000,
    );
    for (const socket of sockets) socket.destroy();
  },
};

const urlOf = (said: string): string => /"url":"(http[^"]+)/.exec(said)?.[1] ?? '';
