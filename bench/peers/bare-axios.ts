/**
 * The ceiling: an axios loop over prepared batches of 2,000, ten calls at once, connections kept alive. No queue, no
 * durability, no limit; a refused call is counted and not retried.
 */
import { Agent } from 'node:http';
import axios from 'axios';
import pLimit from 'p-limit';
import { MAX_INPUTS_PER_CALL, type Pair } from '../../src/shared/contract/association.js';
import { OBJECT_PAIR, pairs, TYPES } from '../support/associations.js';
import { serve } from '../support/peer.js';

type Input = { from: { id: string }; to: { id: string }; types: typeof TYPES };

const inputOf = ([from, to]: Pair): Input => ({ from: { id: from }, to: { id: to }, types: TYPES });

await serve(({ hubspotUrl }) => {
  const { fromObjectType, toObjectType } = OBJECT_PAIR;
  const path = `${hubspotUrl}/crm/v4/associations/${fromObjectType}/${toObjectType}/batch/create`;
  const http = axios.create({
    httpAgent: new Agent({ keepAlive: true }),
    headers: { authorization: 'Bearer pat-bench' },
    validateStatus: status => status < 300 || status === 400,
  });
  const limit = pLimit(10);
  let bodies: { inputs: Input[] }[] = [];

  return {
    async prepare(load) {
      bodies = [];
      let inputs: Input[] = [];
      for (const pair of pairs(load)) {
        if (inputs.length === 0) bodies.push({ inputs });
        if (inputs.push(inputOf(pair)) === MAX_INPUTS_PER_CALL) inputs = [];
      }
    },
    async settle() {
      const answers = await Promise.all(
        bodies.map(body =>
          limit(async () => (await http.post<{ results?: unknown[] }>(path, body)).data.results?.length ?? 0),
        ),
      );
      const created = answers.reduce((sum, created) => sum + created, 0);
      const count = bodies.reduce((sum, { inputs }) => sum + inputs.length, 0);
      return { created, failed: count - created };
    },
  };
});
