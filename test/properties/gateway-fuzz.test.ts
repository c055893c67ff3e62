/**
 * Whatever comes in: an answer in HubSpot's shape, 201 or 4xx, never a 5xx; and what is in the queue is exactly what was
 * accepted. FUZZ_RUNS=20000 for more.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { AnswerSchema, RefusalSchema } from '../../src/gateway/schemas.js';
import { accountKeys } from '../../src/shared/queue.js';
import { CREATE, openServer, type ReplyBody, type TestServer } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const numRuns = Number(process.env.FUZZ_RUNS ?? 5_000);
let server: TestServer;
beforeAll(async () => {
  server = await openServer(test.url, test.prefix, { maxInputs: 100 });
});
afterAll(() => server.close());

const isAnswer = Compile(AnswerSchema);
const isRefusal = Compile(RefusalSchema);
const queued = () => test.redis.llen(`${accountKeys(test.prefix).jobs}wait`);

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.double(),
  fc.constantFrom(2 ** 53, -0, 1e308, '9'.repeat(129), '\ud800', '__proto__', 'constructor', ''),
);
const often = <T, N>(good: fc.Arbitrary<T>, bad: fc.Arbitrary<N>) =>
  fc.oneof({ weight: 12, arbitrary: good as fc.Arbitrary<T | N> }, { weight: 1, arbitrary: bad });
const id = often(fc.oneof(fc.nat().map(String), fc.maxSafeNat()), anything);
const type = often(
  fc.record({
    associationCategory: often(fc.constantFrom('HUBSPOT_DEFINED', 'USER_DEFINED', 'WORK'), anything),
    associationTypeId: often(fc.integer({ min: 1, max: 500 }), anything),
  }),
  anything,
);
const record = often(fc.record({ id }, { noNullPrototype: true }), anything);
const input = often(
  fc.record({ from: record, to: record, types: often(fc.array(type, { maxLength: 3 }), anything) }),
  anything,
);
const body = often(fc.record({ inputs: often(fc.array(input, { maxLength: 12 }), anything) }), anything);
const deep = fc.nat(3_000).map(depth => `{"inputs":[${'['.repeat(depth)}${']'.repeat(depth)}]}`);
const json = body.map(value => JSON.stringify(value) ?? '');
const payload = fc.oneof(
  { weight: 12, arbitrary: json },
  { weight: 2, arbitrary: fc.tuple(json, fc.nat(80)).map(([text, cut]) => text.slice(0, -cut)) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)) },
);
const headerText = fc.string({ maxLength: 300 }).map(text => text.replace(/[^\x20-\x7e]/g, ''));
const headers = fc.record({
  'content-type': often(fc.constantFrom('application/json', 'application/json; charset=utf-8'), headerText),
  ...Object.fromEntries(
    ['idempotency-key', 'prefer', 'authorization', 'content-encoding'].map(name => [
      name,
      fc.option(name === 'prefer' ? headerText.map(text => text.replace(/wait/gi, 'weit')) : headerText, {
        nil: undefined,
        freq: 3,
      }),
    ]),
  ),
});
const url = often(
  fc.constantFrom(CREATE, '/crm/associations/2026-09/2-17/0-1/batch/create'),
  fc.oneof(
    fc.webPath().map(path => path || '/'),
    fc
      .string({ maxLength: 150 })
      .map(text => `/crm/v4/associations/${encodeURIComponent(text)}/a/batch/create`),
  ),
);

it('an answer in its shape, and nothing in part', async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(url, payload, headers, async (url, payload, headers) => {
      const before = await queued();
      const response = await server.app.inject({
        method: 'POST',
        url,
        payload,
        headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
      });
      const answer = response.json<ReplyBody>();
      const jobs = (await queued()) - before;
      if (response.statusCode === 201 || response.statusCode === 202) {
        accepted += 1;
        expect(isAnswer.Check(answer)).toBe(true);
        const counts = await server.requests.counts((answer.links?.status ?? '').replace('/requests/', ''));
        // a repeat under an idempotency key adds nothing
        expect([0, counts?.jobs]).toContain(jobs);
        expect(counts?.accepted).toBe((JSON.parse(String(payload)) as { inputs: unknown[] }).inputs.length);
      } else {
        expect(response.statusCode).toBeGreaterThanOrEqual(400);
        expect(response.statusCode).toBeLessThan(500);
        expect(isRefusal.Check(answer)).toBe(true);
        expect(jobs).toBe(0);
      }
    }),
    { numRuns },
  );
  // it has met both
  expect(accepted).toBeGreaterThan(numRuns / 50);
  expect(accepted).toBeLessThan(numRuns);
}, 600_000);
