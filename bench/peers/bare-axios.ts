/**
 * The ceiling: an axios loop over prepared batches of 2,000, ten calls at once, connections kept alive. No queue, no
 * durability, no limit, and no look at the answers beyond counting their results.
 * A process of its own; for each message it prepares the batches, posts them, and reports.
 */
import { Agent } from 'node:http';
import axios from 'axios';
import pLimit from 'p-limit';
import { MAX_INPUTS_PER_CALL } from '../../src/shared/association.js';
import { OBJECT_PAIR, pairAt, TYPES } from '../support/associations.js';

export type Order = { readonly url: string; readonly count: number };
export type Report = { readonly ms: number; readonly created: number };

type Body = {
  inputs: { from: { id: string }; to: { id: string }; types: typeof TYPES }[];
};

function prepare(count: number): Body[] {
  const bodies: Body[] = [];
  for (let first = 0; first < count; first += MAX_INPUTS_PER_CALL) {
    const size = Math.min(MAX_INPUTS_PER_CALL, count - first);
    const inputs = Array.from({ length: size }, (_, index) => {
      const [from, to] = pairAt(first + index);
      return { from: { id: from }, to: { id: to }, types: TYPES };
    });
    bodies.push({ inputs });
  }
  return bodies;
}

const http = axios.create({
  httpAgent: new Agent({ keepAlive: true }),
  headers: { authorization: 'Bearer pat-bench' },
});
const limit = pLimit(10);

async function post({ url, count }: Order): Promise<Report> {
  const { fromObjectType, toObjectType } = OBJECT_PAIR;
  const path = `${url}/crm/v4/associations/${fromObjectType}/${toObjectType}/batch/create`;
  const bodies = prepare(count);
  const since = performance.now();
  const answers = await Promise.all(
    bodies.map(body =>
      limit(async () => (await http.post<{ results: unknown[] }>(path, body)).data.results.length),
    ),
  );
  const ms = performance.now() - since;
  return { ms, created: answers.reduce((sum, created) => sum + created, 0) };
}

process.on('message', (order: Order) => {
  post(order).then(
    report => process.send?.(report),
    error => {
      console.error(error);
      process.exit(1);
    },
  );
});
