/**
 * Whatever comes in, many at once: an answer in HubSpot's shape, 201, 202 or 4xx, never a 5xx; and what is in the queue is
 * exactly what was accepted. FUZZ_REQUESTS=200000 for more.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { AnswerSchema, RefusalSchema } from '../../src/gateway/schemas.js';
import { accountKeys } from '../../src/shared/queue.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { CREATE, openServer, type ReplyBody, type TestServer } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const numRequests = Number(process.env.FUZZ_REQUESTS ?? 20_000);
const AT_ONCE = 20;
let server: TestServer;
let simulator: Simulator;
beforeAll(async () => {
  // the standard objects have the same labels
  const labels = [null, 'Primary', 'Billing'].map((label, at) => ({
    fromObjectType: '2-17',
    toObjectType: '0-1',
    category: 'USER_DEFINED' as const,
    typeId: 41 + at,
    label,
  }));
  simulator = await startSimulator({ labels });
  const hubspot = { accessToken: 'any', baseUrl: simulator.url };
  server = await openServer(test.url, test.prefix, { maxInputs: 100, hubspot });
});
afterAll(async () => {
  await server.close();
  await simulator.stop();
});

const isAnswer = Compile(AnswerSchema);
const isRefusal = Compile(RefusalSchema);
/** by the path of its status */
const inputsOf = new Map<string, number>();

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
  fc.record(
    {
      from: record,
      to: record,
      types: often(fc.array(type, { maxLength: 3 }), anything),
      // looked up once: whatever else is asked for afterwards, the list is young
      label: often(fc.constantFrom('Primary', ' billing'), fc.oneof(fc.constant('Chef'), anything)),
    },
    { requiredKeys: ['from', 'to'] },
  ),
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
  'x-priority': fc.option(often(fc.constantFrom('high', 'normal', ' HIGH'), headerText), {
    nil: undefined,
    freq: 3,
  }),
  // anything but identity is refused
  'content-encoding': fc.option(often(fc.constant('identity'), headerText), { nil: undefined, freq: 3 }),
  ...Object.fromEntries(
    ['idempotency-key', 'prefer', 'authorization', 'x-anything'].map(name => [
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

const request = fc.record({ url, payload, headers });
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

/** What the answer itself must be. @returns the path of the request's status where it was accepted */
async function send({ url, payload, headers }: Request): Promise<string | undefined> {
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  const response = await server.app.inject({
    method: 'POST',
    url,
    payload,
    headers: Object.fromEntries(given),
  });
  const answer = response.json<ReplyBody>();
  if (response.statusCode === 201 || response.statusCode === 202) {
    expect(isAnswer.Check(answer)).toBe(true);
    return answer.links?.status;
  }
  expect(response.statusCode).toBeGreaterThanOrEqual(400);
  if (response.statusCode >= 500) throw new Error(`${response.statusCode}: ${JSON.stringify(answer)}`);
  expect(isRefusal.Check(answer)).toBe(true);
  return undefined;
}

const { keys, redis } = { keys: accountKeys(test.prefix), redis: test.redis };
const queued = async () => ({
  normal: await redis.llen(keys.wait),
  high: await redis.zcard(keys.prioritized),
});

/** Associations in the jobs that have come since then: BullMQ pushes at the head of its list, and at the end of its set. */
async function queuedSince(before: { normal: number; high: number }): Promise<number> {
  const { normal } = await queued();
  const ids = [
    ...(normal > before.normal ? await redis.lrange(keys.wait, 0, normal - before.normal - 1) : []),
    ...(await redis.zrange(keys.prioritized, String(before.high), '-1')),
  ];
  const texts = await Promise.all(ids.map(id => redis.hget(keys.jobs + id, 'data')));
  return texts.reduce((sum, text) => sum + (JSON.parse(text ?? '') as { pairs: unknown[] }).pairs.length, 0);
}

it('an answer in its shape, and nothing in part', async () => {
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE }), async requests => {
      const before = await queued();
      const paths = await Promise.all(requests.map(send));
      sent += requests.length;
      let expected = 0;
      let latest: string | undefined;
      for (const [at, path] of paths.entries()) {
        // a repeat under an idempotency key has the path of the first, and adds nothing
        if (path === undefined || inputsOf.has(path)) continue;
        const { inputs } = JSON.parse(String(requests[at]?.payload)) as { inputs: unknown[] };
        inputsOf.set(path, inputs.length);
        expected += inputs.length;
        latest = path;
      }
      expect(await queuedSince(before)).toBe(expected);
      if (latest === undefined) return;
      const count = inputsOf.get(latest);
      const status = (await server.app.inject(latest)).json<ReplyBody>();
      expect(status).toMatchObject({ accepted: count, queued: count, created: 0, rejected: 0 });
    }),
    { numRuns: Math.ceil(numRequests / AT_ONCE) },
  );
  expect(sent).toBeGreaterThanOrEqual(numRequests);
  // it has met both
  expect(inputsOf.size).toBeGreaterThan(sent / 50);
  expect(inputsOf.size).toBeLessThan(sent);
}, 600_000);
