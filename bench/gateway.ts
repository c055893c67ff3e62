/** What does durability cost an HTTP caller, how fast is a large request accepted, and in how much memory? */
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from './peers/http-load.js';
import { OBJECT_PAIR, pairAt, TYPES } from './support/associations.js';
import { type Installation, withInstallation } from './support/installation.js';
import { CLI } from './support/paths.js';
import { peakMemory, type Started, start, startForked } from './support/processes.js';
import { type Answer, type Options, type Question, ratios } from './support/row.js';

const CLIENTS = 100;
const FULL = { rounds: 5, requests: 40_000 };
const QUICK = { rounds: 2, requests: 15_000 };
const LARGE_INPUTS = 50_000;
const LARGE_IN_A_ROW = 10;
const MEGABYTES_IN_A_MIB = 1.048576;

export const gateway: Question = {
  title: 'Gateway: single associations over HTTP, and 50,000 in one request',
  seconds: { full: 30, quick: 9 },
  method: ({ quick }) => {
    const { rounds, requests } = quick ? QUICK : FULL;
    return [
      `${CLIENTS} clients in one process, each over a connection that stays open, send ${requests.toLocaleString('en')} requests of one association: first to a bare fastify route (same path, same schema, an answer of the same shape, nothing else), then to the gateway, whose answer means that Redis has the job; no worker. ${rounds} rounds after one that does not count; ratios are taken within a round. Server, clients and Redis share the cores. The number of associations in the queue is checked.`,
      `Then, to a gateway started anew, requests of ${LARGE_INPUTS.toLocaleString('en')} inputs, one after the other. RSS is the largest that Linux has seen (VmHWM).`,
    ].join(' ');
  },
  run: (options, answer) =>
    withInstallation(options, async installation => {
      await singles(options, installation, answer);
      await large(options, installation, answer);
    }),
};

async function singles(options: Options, installation: Installation, answer: Answer): Promise<void> {
  const { rounds, requests } = options.quick ? QUICK : FULL;
  const peer = await start([moduleOf('bare-fastify')], {}, LISTENING);
  const ours = await startGateway(options, installation);
  const load = startForked(moduleOf('http-load'), {});
  const rate = async (server: Started) => {
    const order: LoadOrder = { url: urlOf(server), clients: CLIENTS, requests };
    return perSecond(await load.ask<LoadReport>(order), requests);
  };
  const [bare, gateway]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round <= rounds; round++) {
      const rates = [await rate(peer), await rate(ours)] as const;
      const queued = await countQueued(installation);
      if (queued !== requests) throw new Error(`${requests} requests were answered, ${queued} are queued`);
      await installation.clear();
      if (round === 0) continue;
      bare.push(rates[0]);
      gateway.push(rates[1]);
      const [one, two] = rates.map(rate => `${(rate / 1_000).toFixed(1)}k/s`);
      options.say(`round ${round}: bare fastify route ${one}, gateway ${two}`);
    }
  } finally {
    await load.stop();
    await peer.stop();
    await ours.stop();
  }
  answer(
    { what: `bare fastify route, ${CLIENTS} clients`, unit: '/s', values: bare },
    { what: `gateway, ${CLIENTS} clients`, unit: '/s', values: gateway },
    {
      what: 'gateway ÷ bare fastify route',
      unit: '×',
      values: ratios(gateway, bare),
      goal: { at: 'least', value: 0.5 },
      main: true,
    },
  );
}

async function countQueued({ queue }: Installation): Promise<number> {
  const jobs = await queue.getWaiting(0, -1);
  return jobs.reduce((sum, job) => sum + (job.data as { pairs: unknown[] }).pairs.length, 0);
}

async function large(options: Options, installation: Installation, answer: Answer): Promise<void> {
  const ours = await startGateway(options, installation);
  const inputs = Array.from({ length: LARGE_INPUTS }, (_, index) => {
    const [from, to] = pairAt(index);
    return { from: { id: from }, to: { id: to }, types: TYPES };
  });
  const body = JSON.stringify({ inputs });
  const times: number[] = [];
  const rss: number[] = [];
  try {
    while (times.length < LARGE_IN_A_ROW) {
      const since = performance.now();
      const { fromObjectType, toObjectType } = OBJECT_PAIR;
      const response = await fetch(
        `${urlOf(ours)}/crm/v4/associations/${fromObjectType}/${toObjectType}/batch/create`,
        { method: 'POST', headers: { 'content-type': 'application/json' }, body },
      );
      await response.text();
      times.push(performance.now() - since);
      if (response.status !== 201) throw new Error(`the gateway answered ${response.status}`);
      rss.push((peakMemory(ours) ?? Number.NaN) * MEGABYTES_IN_A_MIB);
    }
  } finally {
    await ours.stop();
  }
  options.say(`${LARGE_IN_A_ROW} × ${LARGE_INPUTS} inputs: ${times.map(Math.round).join(', ')} ms`);
  const goal = { at: 'most', value: 250 } as const;
  answer(
    {
      what: '50,000 inputs in one request',
      unit: 'ms',
      values: times,
      goal: { at: 'most', value: 2_000 },
      main: true,
    },
    { what: 'RSS after the first', unit: 'MB', values: rss.slice(0, 1), goal },
    { what: `RSS after ${LARGE_IN_A_ROW} in a row`, unit: 'MB', values: rss.slice(-1), goal, main: true },
  );
}

const moduleOf = (peer: string): string => fileURLToPath(new URL(`./peers/${peer}.js`, import.meta.url));
const LISTENING = /listening on \S+\n/;
const urlOf = ({ said }: Started): string =>
  /listening on (\S+)|"event":"started","url":"([^"]+)"/.exec(said())?.slice(1).find(Boolean) ?? '';

const startGateway = ({ redisUrl, profileDir }: Options, { prefix }: Installation): Promise<Started> =>
  start(
    [...(profileDir ? ['--cpu-prof', '--cpu-prof-dir', profileDir] : []), CLI, 'gateway'],
    { REDIS_URL: redisUrl, QUEUE_PREFIX: prefix, GATEWAY_PORT: '0' },
    /"event":"started"/,
  );

function perSecond({ ms, statuses }: LoadReport, requests: number): number {
  if (statuses['201'] !== requests) throw new Error(`answered with ${JSON.stringify(statuses)}`);
  return (requests / ms) * 1_000;
}
