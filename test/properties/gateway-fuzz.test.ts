/**
 * Whatever comes in, many at once: an answer in HubSpot's shape, 201, 202 or 4xx, never a 5xx; and what is in the queue is
 * exactly what was accepted. FUZZ_REQUESTS=200000 for more.
 *
 * A part of the requests are good ones, spoilt in one place: such a request passes most checks before it meets the one that is
 * tried. Two keys send them, and each asks for the other's requests, which it must not see.
 */

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { AnswerSchema, RefusalSchema } from '../../src/gateway/schemas.js';
import { fieldNamed } from '../../src/shared/contract/association-fields.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { Compile } from '../../src/shared/contract/typebox.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { openServer, type ReplyBody, type TestServer } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';
import { CREATE } from '../support/samples.js';

const test = useRedis(import.meta.url);
const numRequests = Number(process.env.FUZZ_REQUESTS ?? 2_500);
const AT_ONCE = 20;
const MAX_INPUTS = 1_000;
const KEYS = ['key-one', 'key-two'] as const;
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
  server = await openServer(test.url, test.prefix, { maxInputs: MAX_INPUTS, hubspot, apiKeys: [...KEYS] });
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

const good = (at: number) => ({ from: { id: String(at + 1) }, to: { id: at + 2 } });
const typed = (typeId: unknown) => ({
  types: [{ associationCategory: 'USER_DEFINED', associationTypeId: typeId }],
});
/** Names that could mean a type, a label or an object, and names that no object should have. */
const strayName = fc.constantFrom(
  ...[
    'types',
    'type',
    'Types',
    'label',
    'associationTypeId',
    'association_category',
    'fromObjectType',
    'from_id',
  ],
  ...['__proto__', 'constructor', 'toString', 'in: x', '', '\u202e', 'x'.repeat(300)],
);
/** One spoilt place among good inputs; each must leave nothing in the queue, or be taken as a whole. */
const spoiltInput = fc.oneof(
  strayName.map(name => ({ [name]: 1 })),
  fc
    .constantFrom('\ud800', 'a\udc00b', '\u0000', '1\u202e', '1\u200b2', '\u00851', ' 1', '0'.repeat(129))
    .map(id => ({ from: { id } })),
  fc.constantFrom('279', '0279', '2147483648', 2 ** 31, 1.5, -1, '1e3', null, [279]).map(typed),
  fc.constantFrom('000101', '0', '-1', '1.0', '9'.repeat(128)).map(id => ({ to: { id } })),
  strayName.map(name => ({ to: { id: '1', [name]: 1 } })),
  fc.constantFrom('two\nlines', '\ud83d', '\u0000', ' ', 'x'.repeat(201)).map(label => ({ label })),
);
const spoilt = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.nat(29), spoiltInput)
  .map(([count, at, fault]) => ({
    inputs: Array.from({ length: count }, (_, index) =>
      index === at ? { ...good(index), ...fault } : { ...good(index), ...typed(7) },
    ),
  }));
const stray = strayName.map(name => `{"inputs":${JSON.stringify([good(1)])},${JSON.stringify(name)}:[]}`);
/** More lists of types, inputs or faults than one request may have. */
const excess = fc.constantFrom<(at: number) => object>(
  at => typed(at + 1),
  at => ({ types: [...typed(at + 1).types, ...typed(at + 2).types] }),
  () => ({ types: Array(150).fill(null) }),
  at => Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`name${at}-${n}`, n])),
);
const large = fc
  .tuple(fc.constantFrom(290, 400, MAX_INPUTS + 1), excess)
  .map(([count, of]) => ({ inputs: Array.from({ length: count }, (_, at) => ({ ...good(at), ...of(at) })) }));
const payload = fc.oneof(
  { weight: 8, arbitrary: json },
  { weight: 8, arbitrary: spoilt.map(value => JSON.stringify(value)) },
  { weight: 2, arbitrary: stray },
  { weight: 1, arbitrary: large.map(value => JSON.stringify(value)) },
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
  authorization: often(
    fc
      .tuple(fc.constantFrom('Bearer', 'bearer', 'BEARER '), fc.constantFrom(...KEYS))
      .map(words => words.join(' ')),
    headerText,
  ),
  ...Object.fromEntries(
    ['idempotency-key', 'prefer', 'x-anything', 'host'].map(name => [
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

/** The scheme is written in different ways, and the key behind it is the caller. */
const keyOf = (sent: Request | undefined): string => String(sent?.headers.authorization).split(/ +/)[1] ?? '';
const read = (path: string, key: string) =>
  server.app.inject({ url: path, headers: { authorization: `Bearer ${key}` } });

/** The inputs of a body that was accepted: every name in it is one that has a meaning, and every id is a text without tricks. */
function understoodInputs(payload: string): readonly unknown[] {
  const { inputs, ...others } = JSON.parse(payload) as { inputs: Record<string, unknown>[] };
  expect(Object.keys(others).filter(name => fieldNamed(name) !== undefined)).toEqual([]);
  for (const input of inputs) {
    expect(Object.keys(input).filter(name => fieldNamed(name) === undefined)).toEqual([]);
    for (const side of [input.from, input.to] as Record<string, unknown>[]) {
      expect(Object.keys(side)).toEqual(['id']);
      expect(String(side.id)).toMatch(/^[^\s\p{Cc}\p{Cs}]{1,128}$/u);
    }
  }
  return inputs;
}

const { keys, redis } = { keys: accountKeys(test.prefix), redis: test.redis };
const queued = async () => ({
  normal: await redis.llen(bullmqKeys(keys).wait),
  high: await redis.zcard(bullmqKeys(keys).prioritized),
});

/** Associations in the jobs that have come since then: BullMQ pushes at the head of its list, and at the end of its set. */
async function queuedSince(before: { normal: number; high: number }): Promise<number> {
  const { normal } = await queued();
  const ids = [
    ...(normal > before.normal
      ? await redis.lrange(bullmqKeys(keys).wait, 0, normal - before.normal - 1)
      : []),
    ...(await redis.zrange(bullmqKeys(keys).prioritized, String(before.high), '-1')),
  ];
  const texts = await Promise.all(ids.map(id => redis.hget(bullmqKeys(keys).jobs + id, 'data')));
  return texts.reduce((sum, text) => sum + (JSON.parse(text ?? '') as { pairs: unknown[] }).pairs.length, 0);
}

it('any request gets an answer in its shape, and is enqueued as a whole or not at all', async () => {
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE }), async requests => {
      const before = await queued();
      const paths = await Promise.all(requests.map(send));
      sent += requests.length;
      let expected = 0;
      let latest: { path: string; sentBy: string } | undefined;
      for (const [at, path] of paths.entries()) {
        // a repeat under an idempotency key has the path of the first, and adds nothing
        if (path === undefined || inputsOf.has(path)) continue;
        const inputs = understoodInputs(String(requests[at]?.payload));
        inputsOf.set(path, inputs.length);
        expected += inputs.length;
        latest = { path, sentBy: keyOf(requests[at]) };
      }
      expect(await queuedSince(before)).toBe(expected);
      if (latest === undefined) return;
      const { path, sentBy } = latest;
      const count = inputsOf.get(path);
      const status = (await read(path, sentBy)).json<ReplyBody>();
      expect(status).toMatchObject({ accepted: count, queued: count, created: 0, rejected: 0 });
      for (const other of KEYS) if (other !== sentBy) expect((await read(path, other)).statusCode).toBe(404);
    }),
    { numRuns: Math.ceil(numRequests / AT_ONCE) },
  );
  expect(sent).toBeGreaterThanOrEqual(numRequests);
  // it has met both
  expect(inputsOf.size).toBeGreaterThan(sent / 50);
  expect(inputsOf.size).toBeLessThan(sent);
}, 600_000);
