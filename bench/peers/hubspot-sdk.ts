/**
 * HubSpot's own client: batchApi.create over prepared batches of 2,000, with its limiter and its retries, which are both
 * off unless they are asked for. No queue, no durability; a refused call is counted and not retried.
 *
 *   default     DEFAULT_LIMITER_OPTIONS, as its README shows: 6 calls at once, one begun every 111 ms (9 a second)
 *   unlimited   the same limiter without spacing, 10 calls at once: what the client itself can do
 *
 * numberOfApiCallRetries 3 means three tries in all: of 5xx after 200 ms, of 429 after 10 s, times the number of the try.
 */
import { Agent } from 'node:http';
import { Client, DEFAULT_LIMITER_OPTIONS } from '@hubspot/api-client';
import { MAX_INPUTS_PER_CALL, type Pair } from '../../src/shared/contract/association.js';
import { OBJECT_PAIR, pairs, TYPES } from '../support/associations.js';
import { serve } from '../support/peer.js';

type BatchApi = Client['crm']['associations']['v4']['batchApi'];
type Inputs = Parameters<BatchApi['create']>[2]['inputs'];

const inputOf = ([from, to]: Pair): Inputs[number] =>
  ({ _from: { id: from }, to: { id: to }, types: TYPES }) as Inputs[number];
const isRefusal = (error: unknown): boolean => (error as { code?: number }).code === 400;

await serve(({ hubspotUrl, variant }) => {
  const client = new Client({
    accessToken: 'pat-bench',
    basePath: hubspotUrl,
    limiterOptions: variant === 'unlimited' ? { maxConcurrent: 10 } : DEFAULT_LIMITER_OPTIONS,
    numberOfApiCallRetries: 3,
    httpAgent: new Agent({ keepAlive: true }),
  });
  const { batchApi } = client.crm.associations.v4;
  const { fromObjectType, toObjectType } = OBJECT_PAIR;
  let batches: Inputs[] = [];

  async function create(inputs: Inputs): Promise<number> {
    try {
      return (await batchApi.create(fromObjectType, toObjectType, { inputs })).results.length;
    } catch (error) {
      if (isRefusal(error)) return 0;
      throw error;
    }
  }

  return {
    async prepare(load) {
      batches = [];
      let inputs: Inputs = [];
      for (const pair of pairs(load)) {
        if (inputs.length === 0) batches.push(inputs);
        if (inputs.push(inputOf(pair)) === MAX_INPUTS_PER_CALL) inputs = [];
      }
    },
    async settle() {
      const answers = await Promise.all(batches.map(create));
      const created = answers.reduce((sum, created) => sum + created, 0);
      const count = batches.reduce((sum, inputs) => sum + inputs.length, 0);
      return { created, failed: count - created };
    },
  };
});
