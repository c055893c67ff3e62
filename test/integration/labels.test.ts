/** Labels by name, from the caller to HubSpot and back: real Redis, the simulator, workers where they matter. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { HubSpotOptions } from '../../src/labels/hubspot-options.js';
import { openLabels } from '../../src/labels/open-labels.js';
import type { Producer, ProducerOptions } from '../../src/producer/api.js';
import { createProducer } from '../../src/producer/create-producer.js';
import { openProducer } from '../../src/producer/producer.js';
import { type Association, typeText } from '../../src/shared/contract/association.js';
import { EnqueueError, InvalidAssociationError, LabelLookupError } from '../../src/shared/contract/errors.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { eventually } from '../support/eventually.js';
import { openServer, type ReplyBody } from '../support/gateway.js';
import { TOKEN, useRig } from '../support/rig.js';
import { CREATE } from '../support/samples.js';

const rig = useRig(import.meta.url);
let producers: Producer[] = [];
beforeEach(() => rig.start({ simulator: { labels: LABELS } }));
afterEach(async () => {
  await Promise.all(producers.map(made => made.close()));
  producers = [];
});

const label = (fromObjectType: string, toObjectType: string, typeId: number, name: string | null) => ({
  fromObjectType,
  toObjectType,
  category: 'USER_DEFINED' as const,
  typeId,
  label: name,
});
const LABELS = [
  label('contacts', 'companies', 36, 'Decision maker'),
  label('companies', 'contacts', 37, 'Decided by'),
  label('2-7', 'contacts', 41, null),
];
const link = (more: Partial<Association> = {}): Association => ({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  from: 1,
  to: 2,
  ...more,
});

function producer(hubspot: HubSpotOptions = {}, options: Partial<ProducerOptions> = {}) {
  const access = { accessToken: TOKEN, baseUrl: rig.simulator.url, ...hubspot };
  const made = openProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix, hubspot: access, ...options });
  producers.push(made);
  return made;
}
const labelCalls = () => rig.simulator.ledger.calls.filter(call => call.endpoint === 'labels').length;
/** `contacts/companies USER_DEFINED:36` → number of pairs */
async function queued(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const job of await rig.queue.getJobs()) {
    const parsed = parseJobData(job.data);
    if (!parsed.ok) throw new Error(parsed.faults.join());
    const { fromObjectType, toObjectType, types, pairs } = parsed.data;
    const name = `${fromObjectType}/${toObjectType} ${types.map(typeText).join('+')}`;
    found[name] = (found[name] ?? 0) + pairs.length;
  }
  return found;
}
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a label in the library', () => {
  it('becomes its type, each direction its own, and one call serves all', async () => {
    const { enqueue, enqueueMany } = bound(producer());
    const many = Array.from({ length: 3_000 }, (_, id) => link({ from: id, label: 'decision maker' }));
    await Promise.all([
      ...many.map(enqueue),
      enqueueMany(many),
      enqueue(link({ fromObjectType: '0-2', toObjectType: '0-1', label: 'Decided by' })),
    ]);
    expect(await queued()).toEqual({
      'contacts/companies USER_DEFINED:36': 6_000,
      '0-2/0-1 USER_DEFINED:37': 1,
    });
    expect(labelCalls()).toBe(2);
    // another process finds it in Redis
    await producer().enqueue(link({ label: 'Decision maker' }));
    expect(labelCalls()).toBe(2);
    const keys = await rig.redis.keys(`${rig.keys.labels}*`);
    expect(keys.map(key => key.slice(rig.keys.labels.length)).sort()).toEqual(['0-1/0-2', '0-2/0-1']);
    const ttl = await rig.redis.pttl(keys[0] ?? '');
    expect(ttl).toBeGreaterThan(3_500_000);
    expect(ttl).toBeLessThanOrEqual(3_600_000);
  });

  it('may be missing beside the types: the unlabelled type comes from the table, else from HubSpot', async () => {
    const { enqueue } = bound(producer());
    await enqueue(link());
    await enqueue(link({ fromObjectType: 'deals', toObjectType: 'tickets' }));
    expect(labelCalls()).toBe(0);
    await enqueue(link({ fromObjectType: '2-7', toObjectType: 'contacts' }));
    expect(await queued()).toEqual({
      'contacts/companies HUBSPOT_DEFINED:279': 1,
      'deals/tickets HUBSPOT_DEFINED:27': 1,
      '2-7/contacts USER_DEFINED:41': 1,
    });
    expect(labelCalls()).toBe(1);
    const error = await failure(enqueue(link({ fromObjectType: '2-8' })));
    expect(error).toBeInstanceOf(InvalidAssociationError);
    expect((error as Error).message).toContain(
      'no unlabelled type is known from 2-8 to companies: give types',
    );
  });

  it('that is unknown is refused with the known ones, at the price of one call for all who ask', async () => {
    const made = producer();
    const error = await failure(made.enqueue(link({ label: 'Decison maker' })));
    expect(error).toBeInstanceOf(InvalidAssociationError);
    expect((error as Error).message).toBe(
      'invalid association: label: "Decison maker" is not a label from contacts to companies: did you mean "Decision maker"? (known: "Primary", "Billing", "Decision maker")',
    );
    const many = await failure(
      made.enqueueMany([link(), ...Array.from({ length: 500 }, (_, id) => link({ label: `wrong ${id}` }))]),
    );
    expect(many).toMatchObject({ progress: { enqueued: { associations: 1, jobs: 1 }, read: 501 } });
    expect((many as InvalidAssociationError).indexes).toHaveLength(500);
    const away = await failure(made.enqueue(link({ fromObjectType: 'martians', label: 'x' })));
    expect((away as Error).message).toContain('Unable to infer object type from: martians');
    expect(labelCalls()).toBe(2);
    // malformed names are never looked up
    expect(await failure(made.enqueue(link({ fromObjectType: 'a/b', label: '' })))).toMatchObject({
      faults: [expect.stringContaining('fromObjectType'), expect.stringContaining('label: "" is empty')],
    });
    expect(labelCalls()).toBe(2);
  });

  it('that is new is found once the list is a little old, before the list expires', async () => {
    const redis = openRedis(rig.redisUrl, 'hasty');
    await redis.connect();
    const place = { redis, connected: async () => {}, keys: rig.keys };
    const { resolver, close } = openLabels({ accessToken: TOKEN, baseUrl: rig.simulator.url }, place, 200);
    const wish = link({ label: 'Chef' });
    expect(await resolver.typesOf(wish)).toMatchObject({ fault: expect.stringContaining('"Chef"') });
    rig.simulator.setOptions({ labels: [...LABELS, label('contacts', 'companies', 38, 'Chef')] });
    await eventually(async () =>
      expect(await resolver.typesOf(wish)).toEqual({
        types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 38 }],
      }),
    );
    expect(labelCalls()).toBe(2);
    // cached labels are answered at once
    expect(resolver.typesOf(wish)).not.toBeInstanceOf(Promise);
    close();
    redis.disconnect();
  });

  it('is forgotten after its lifetime, here and in Redis', async () => {
    const { enqueue } = bound(producer({ labelCacheSeconds: 1 }));
    await enqueue(link({ label: 'Decision maker' }));
    rig.simulator.setOptions({ labels: [label('contacts', 'companies', 99, 'Decision maker')] });
    await eventually(async () => {
      await enqueue(link({ label: 'Decision maker' }));
      expect(labelCalls()).toBe(2);
    });
    expect(await queued()).toMatchObject({ 'contacts/companies USER_DEFINED:99': 1 });
  });

  it('is not needed for odd types, which are warned of once and enqueued', async () => {
    const warnings: string[] = [];
    const made = producer({}, { onWarning: warning => warnings.push(warning) });
    const types = [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 280 }];
    await made.enqueue(link({ types }));
    await made.enqueueMany([link({ types }), link({ types, from: 3 })]);
    expect(warnings).toEqual([expect.stringMatching(/^HUBSPOT_DEFINED:280 is from companies to contacts/)]);
    expect(await queued()).toEqual({ 'contacts/companies HUBSPOT_DEFINED:280': 3 });
  });

  it('that is being looked up is waited for by close()', async () => {
    rig.simulator.script({ kind: 'slow', ms: 300, match: { endpoint: 'labels' } });
    const made = producer();
    const under = made.enqueue(link({ label: 'Decision maker' }));
    await made.close();
    await under;
    expect(await queued()).toEqual({ 'contacts/companies USER_DEFINED:36': 1 });
  });
});

describe('the calls for labels', () => {
  it('count in the window and in the day, and keep the limit beside a busy worker', async () => {
    // two lookups a second: on a slow machine, too, half of the eight have a call within the ten seconds that they wait
    const limits = { rateLimitCalls: 20, rateLimitWindowMs: 1_000 };
    rig.simulator.setOptions(limits);
    rig.startWorker({ RATE_LIMIT_CALLS: '20', RATE_LIMIT_WINDOW_MS: '1000', BATCH_MAX_INPUTS: '10' });
    await rig.enqueue(
      Array.from({ length: 300 }, (_, id): [string, string] => [String(100_000_001 + id), '7']),
      50,
    );
    const made = [producer(limits), producer(limits)];
    const objects = ['deals', 'tickets', 'notes', 'calls'];
    await Promise.all(
      made.flatMap(one =>
        objects.map(toObjectType => failure(one.enqueue(link({ toObjectType, label: 'none' })))),
      ),
    );
    await rig.drained();
    const { ledger } = rig.simulator;
    expect(labelCalls()).toBeGreaterThanOrEqual(objects.length);
    expect(ledger.calls.filter(call => call.status === 429)).toEqual([]);
    expect(ledger.maxCallsInWindow(1_000)).toBeLessThanOrEqual(20);
    const days = await rig.redis.hvals(rig.keys.daily);
    expect(days.map(Number)).toEqual([ledger.calls.length]);
  });

  it('take a tenth of all calls for invented object types, over all processes, and tell the others when to ask again', async () => {
    const limits = { rateLimitCalls: 30, rateLimitWindowMs: 60_000 };
    const made = [producer(limits), producer(limits)];
    const server = await openServer(rig.redisUrl, rig.prefix, {
      hubspot: { accessToken: TOKEN, baseUrl: rig.simulator.url, ...limits },
    });
    try {
      const failures = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          failure((made[at % 2] as Producer).enqueue(link({ toObjectType: `2-${at}`, label: 'none' }))),
        ),
      );
      expect(labelCalls()).toBe(3);
      const refused = failures.filter(one => one instanceof EnqueueError).map(({ cause }) => cause);
      expect(refused.length).toBe(37);
      for (const cause of refused) {
        expect(cause).toBeInstanceOf(LabelLookupError);
        expect((cause as LabelLookupError).message).toContain("a tenth of HubSpot's calls (3 in 60 s)");
        expect((cause as LabelLookupError).retryAfterMs).toBeGreaterThan(10_000);
      }
      const inputs = [{ from: { id: '1' }, to: { id: '2' }, label: 'none' }];
      const url = CREATE.replace('companies', '2-99');
      const answer = await server.app.inject({ method: 'POST', url, payload: { inputs } });
      expect(answer.statusCode).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(10);
      expect(answer.json<ReplyBody>().message).toMatch(/a tenth of HubSpot's calls.*nothing was enqueued$/);
      expect(labelCalls()).toBe(3);
    } finally {
      await server.close();
    }
  });

  it('are not made while the account is held, and the caller learns why', async () => {
    await producer().connected();
    const now = Date.now();
    await rig.redis.hset(rig.keys.hold, { until: now + 60_000, kind: 'daily', reason: 'used up' });
    const error = await failure(producer().enqueue(link({ label: 'Decision maker' })));
    expect(error).toBeInstanceOf(EnqueueError);
    const { cause } = error as EnqueueError;
    expect(cause).toBeInstanceOf(LabelLookupError);
    expect((cause as Error).message).toMatch(/calls are held for (59|60) s \(used up\)/);
    expect(labelCalls()).toBe(0);
    // a lookup without a call takes no place in the tenth of the calls
    expect(await rig.redis.zcard(rig.keys.labelCalls)).toBe(0);
  });

  it.each([
    [429, /held for \d+ s \(429 from HubSpot/, true],
    [477, /held for|477 from HubSpot/, true],
    [401, /401 from HubSpot/, false],
    [403, /403 from HubSpot/, false],
    [503, /503 from HubSpot/, false],
  ])(
    '%i: nothing is enqueued and the reason is said, %s; the workers are held: %s',
    async (status, reason, holds) => {
      rig.simulator.script({ kind: 'status', status, match: { endpoint: 'labels' } });
      const made = producer();
      const both = [made.enqueue(link({ label: 'Decision maker' })), made.enqueue(link({ label: 'Chef' }))];
      for (const error of await Promise.all(both.map(failure))) {
        expect(error).toBeInstanceOf(EnqueueError);
        expect((error as Error).message).toMatch(reason);
        expect(JSON.stringify([error, (error as Error).message])).not.toContain(TOKEN);
      }
      // a second lookup at once gets the same error without a call to HubSpot
      expect(await failure(made.enqueue(link({ label: 'Decision maker' })))).toBeInstanceOf(EnqueueError);
      expect(await queued()).toEqual({});
      expect(labelCalls()).toBe(1);
      const until = Number(await rig.redis.hget(rig.keys.hold, 'until'));
      expect(until > Date.now()).toBe(holds);
    },
  );

  it('fail while HubSpot is away: labels read before are used, others are named, and later calls work', async () => {
    await rig.simulator.pause();
    const made = producer();
    const error = await failure(
      made.enqueueMany([link(), link({ label: 'Decision maker', from: 5 }), link({ from: 9 })]),
    );
    expect(error).toBeInstanceOf(EnqueueError);
    expect(error).toMatchObject({
      associations: [{ from: 5, label: 'Decision maker' }],
      progress: { enqueued: { associations: 1, jobs: 1 }, read: 2 },
    });
    expect((error as Error).message).toContain('HubSpot does not answer');
    await rig.simulator.resume();
    await eventually(() => made.enqueue(link({ label: 'Decision maker', from: 5 })));
    expect(await queued()).toEqual({
      'contacts/companies HUBSPOT_DEFINED:279': 1,
      'contacts/companies USER_DEFINED:36': 1,
    });
  });
});

describe('a process without a token', () => {
  it('needs one for uncached labels, and none for types and standard pairs', async () => {
    const { enqueue } = bound(producer({ accessToken: '' }));
    await enqueue(link());
    const error = await failure(enqueue(link({ label: 'Decision maker' })));
    expect(error).toBeInstanceOf(InvalidAssociationError);
    expect((error as Error).message).toMatch(/an access token is needed for it: set HUBSPOT_ACCESS_TOKEN/);
    const library = createProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix });
    const refusal = (await failure(library.enqueue(link({ label: 'Decision maker' })))) as Error;
    await library.close();
    expect(refusal.message).toMatch(/set the option hubspot\.accessToken of createProducer;/);
    expect(refusal.message).not.toContain('HUBSPOT_ACCESS_TOKEN');
    await producer().enqueue(link({ label: 'Decision maker' }));
    await producer({ accessToken: '' }).enqueue(link({ label: 'Decision maker' }));
    expect(labelCalls()).toBe(1);
  });

  it('gets an error that the token cannot be read, without its content', async () => {
    const accessToken = () => {
      throw new Error('"/run/secrets/hubspot" is empty');
    };
    const error = await failure(producer({ accessToken }).enqueue(link({ label: 'Decision maker' })));
    expect((error as Error).message).toContain('cannot be read: "/run/secrets/hubspot" is empty');
  });

  it('gets an error with the invalid options', () => {
    expect(() => producer({ rateLimitCalls: 0, baseUrl: 'ftp://x', accessToken: 7 as never })).toThrow(
      /hubspot\.accessToken is neither.*hubspot\.baseUrl is not a URL.*hubspot\.rateLimitCalls "0"/s,
    );
  });
});

it('and is created with its type', async () => {
  rig.startWorker();
  await producer().enqueue(link({ from: '100000001', to: '200000001', label: 'Decision maker' }));
  await rig.drained();
  const created = rig.simulator.ledger.get('contacts', 'companies', '100000001', '200000001');
  expect(created?.types).toEqual([{ associationCategory: 'USER_DEFINED', associationTypeId: 36 }]);
});

it('a list of labels in Redis that is not ours is looked up again', async () => {
  await rig.redis.set(`${accountKeys(rig.prefix).labels}0-1/0-2`, '{"labels":3}');
  await producer().enqueue(link({ label: 'Decision maker' }));
  expect(await queued()).toEqual({ 'contacts/companies USER_DEFINED:36': 1 });
});

const bound = (made: Producer) => ({
  enqueue: (association: Association) => made.enqueue(association),
  enqueueMany: (items: Iterable<Association>) => made.enqueueMany(items),
});
