/** The producer library against a real Redis. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { AssociationInput, Producer, ProducerOptions } from '../../src/index.js';
import {
  createProducer,
  EnqueueError,
  InvalidAssociationError,
  parseType,
  RedisUnavailableError,
} from '../../src/index.js';
import type { JobData } from '../../src/shared/contract/association.js';
import { ConfigError } from '../../src/shared/contract/errors.js';
import { parseJobData } from '../../src/shared/contract/job-schema.js';
import { useRedis } from '../support/redis.js';

const test = useRedis(import.meta.url);
const producers: Producer[] = [];
function producer(options: Partial<ProducerOptions> = {}): Producer {
  const made = createProducer({ redisUrl: test.url, prefix: test.newPrefix(), ...options });
  producers.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(producers.splice(0).map(made => made.close()));
});

const types = [parseType('HUBSPOT_DEFINED:279')];
const link = (from: number | string, toObjectType = 'companies'): AssociationInput => ({
  fromObjectType: 'contacts',
  toObjectType,
  from,
  to: '7',
  types,
});

/** The jobs in the queue, oldest first. */
async function queued(queue = 'hubspot-associations'): Promise<{ name: string | null; data: JobData }[]> {
  const key = `${test.prefix}:${queue}`;
  const ids = (await test.redis.lrange(`${key}:wait`, 0, -1)).reverse();
  return Promise.all(
    ids.map(async id => {
      const [name, text] = await test.redis.hmget(`${key}:${id}`, 'name', 'data');
      const parsed = parseJobData(JSON.parse(text ?? 'null'));
      if (!parsed.ok) throw new Error(parsed.faults.join('\n'));
      return { name: name ?? null, data: parsed.data };
    }),
  );
}

describe('enqueue', () => {
  it('packs concurrent calls into jobs by lane, in order, and resolves when they are in Redis', async () => {
    const { enqueue } = bound(producer({ source: 'crm' }));
    const calls = Array.from({ length: 1_100 }, (_, id) => enqueue(link(id)));
    calls.push(enqueue(link('x', 'deals')));
    await calls[0];
    const jobs = await queued();
    expect(jobs.map(({ name, data }) => [name, data.toObjectType, data.pairs.length])).toEqual([
      ['associate', 'companies', 500],
      ['associate', 'companies', 500],
      ['associate', 'companies', 100],
      ['associate', 'deals', 1],
    ]);
    const { pairs, ...rest } = jobs[2]?.data ?? { pairs: [] };
    expect(pairs[99]).toEqual(['1099', '7']);
    expect(rest).toEqual({
      version: 1,
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      types,
      source: 'crm',
    });
    await Promise.all(calls);
  });

  it('acknowledges 100,000 concurrent calls', async () => {
    const { enqueue } = bound(producer());
    await Promise.all(Array.from({ length: 100_000 }, (_, id) => enqueue(link(id))));
    const ids = new Set((await queued()).flatMap(({ data }) => data.pairs.map(([from]) => from)));
    expect(ids.size).toBe(100_000);
  });

  it('refuses an invalid association with every fault, and enqueues its neighbours', async () => {
    const { enqueue } = bound(producer());
    const [before, bad, after] = await Promise.allSettled([
      enqueue(link(1)),
      enqueue({ ...link('a b'), types: [] }),
      enqueue(link(2)),
    ]);
    expect([before?.status, after?.status]).toEqual(['fulfilled', 'fulfilled']);
    const error = bad?.status === 'rejected' ? bad.reason : undefined;
    expect(error).toBeInstanceOf(InvalidAssociationError);
    expect(error.faults).toEqual([
      'from: "a b" is not a record id',
      'types: at least one association type is needed',
    ]);
    expect((await queued()).flatMap(({ data }) => data.pairs)).toEqual([
      ['1', '7'],
      ['2', '7'],
    ]);
  });

  it('is sent at once by flush()', async () => {
    const made = producer({ packMs: 10_000 });
    const call = made.enqueue(link(1));
    await made.flush();
    expect(await queued()).toHaveLength(1);
    await call;
    await made.flush();
  });

  it('ends with close(), which waits for what is under way, refuses what comes after, and may be called twice', async () => {
    const made = producer({ packMs: 10_000 });
    const call = made.enqueue(link(1));
    await Promise.all([made.close(), made.close()]);
    await call;
    expect(await queued()).toHaveLength(1);
    await expect(made.enqueue(link(2))).rejects.toMatchObject({ code: 'ENQUEUE', associations: [link(2)] });
    await expect(made.enqueueMany([link(2)])).rejects.toBeInstanceOf(EnqueueError);
  });

  it('may be closed without ever having connected', async () => {
    await producer().close();
  });
});

describe('enqueueMany', () => {
  it('writes to the queue of the account, each job with the request id', async () => {
    const made = producer({ account: 'eu' });
    const enqueued = await made.enqueueMany([link(1), link(2, 'deals')], { request: { id: 'r-1' } });
    expect(enqueued).toEqual({ requestId: 'r-1', associations: 2, jobs: 2 });
    const jobs = await queued('hubspot-associations-eu');
    expect(jobs.map(({ data }) => data.requestId)).toEqual(['r-1', 'r-1']);
  });

  it('keeps concurrent calls apart', async () => {
    const made = producer();
    await Promise.all([
      made.enqueueMany([link(1)], { request: { id: 'a' } }),
      made.enqueueMany([link(1)], { request: { id: 'b' } }),
      made.enqueue(link(1)),
    ]);
    expect((await queued()).map(({ data }) => data.requestId).sort()).toEqual(['a', 'b', undefined]);
  });

  it('passes on what Redis refuses, without the data', async () => {
    const made = producer();
    await test.redis.set(`${test.prefix}:hubspot-associations:wait`, 'not a list');
    const error = await made.enqueueMany([link('secret-id')]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'ENQUEUE', associations: [{ from: 'secret-id' }] });
    const { message, cause } = error as EnqueueError;
    expect(message).toMatch(/1 associations? not acknowledged|an association not acknowledged/);
    expect(message).toMatch(/refused: .*WRONGTYPE/);
    expect(cause).toBeInstanceOf(RedisUnavailableError);
    // neither the command nor its arguments
    expect(cause).not.toHaveProperty('command');
    expect(JSON.stringify(cause)).not.toContain('secret-id');
  });
});

describe('the types of an association', () => {
  it('may be texts, and share the jobs of the same types as objects', async () => {
    const made = producer();
    await Promise.all([
      made.enqueue({ ...link(1), types: 'HUBSPOT_DEFINED:279' }),
      made.enqueue({ ...link(2), types: ['HUBSPOT_DEFINED:279'] }),
      made.enqueue(link(3)),
    ]);
    expect((await queued()).map(({ data }) => [data.types, data.pairs.length])).toEqual([[types, 3]]);
    const given = [4, 5].map(from => ({ ...link(from), types: 'HUBSPOT_DEFINED:1' }));
    expect(await made.enqueueMany(given)).toMatchObject({ associations: 2, jobs: 1 });
  });

  it('are refused if a text is no type, in either call, and the others are enqueued', async () => {
    const made = producer();
    const bad = { ...link('a b'), types: 'HUBSPOT_DEFINED' };
    const faults = [
      expect.stringMatching(/^types: "HUBSPOT_DEFINED" is not/),
      'from: "a b" is not a record id',
    ];
    await expect(made.enqueue(bad)).rejects.toMatchObject({ code: 'INVALID_ASSOCIATION', faults });
    await expect(made.enqueueMany([link(1), bad, link(2)])).rejects.toMatchObject({
      faults: [expect.stringMatching(/^item 1: types: "HUBSPOT_DEFINED" is not .*, from: "a b"/)],
      indexes: [1],
      progress: { enqueued: { associations: 2 }, read: 3 },
    });
  });
});

describe('the place of the queue', () => {
  it('may be a client of ioredis that the caller uses for something else, and that stays open', async () => {
    // with options under which our calls would wait for ever, and would read other replies
    const client = new Redis(test.url, { maxRetriesPerRequest: null, stringNumbers: true });
    try {
      const made = producer({ redisUrl: undefined, connection: client });
      const { requestId } = await made.enqueueMany([link(1)]);
      expect(await made.request(requestId)).toMatchObject({ accepted: 1, queued: 1 });
      await made.close();
      expect(await client.ping()).toBe('PONG');
      expect(await queued()).toHaveLength(1);
    } finally {
      client.disconnect();
    }
  });

  it('may be options of ioredis, and an error names it without the password', async () => {
    const { hostname: host, port } = new URL(test.url);
    const made = producer({
      redisUrl: undefined,
      connection: { host, port: Number(port), connectionName: 'x' },
    });
    await made.enqueue(link(1));
    expect(await queued()).toHaveLength(1);
    const away = producer({ redisUrl: undefined, connection: { port: 1, password: 'hunter2' } });
    const error = await away.enqueue(link(1)).catch((reason: unknown) => reason);
    expect((error as Error).message).toContain('Redis at redis://localhost:1 is away');
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('is that of the commands in the same environment, if no option says otherwise', async () => {
    process.env.QUEUE_PREFIX = test.newPrefix();
    try {
      const made = createProducer(); // REDIS_URL is set for all tests
      producers.push(made);
      await made.enqueue(link(1));
      expect(await queued()).toHaveLength(1);
    } finally {
      delete process.env.QUEUE_PREFIX;
    }
  });
});

it('a producer is closed at the end of its block', async () => {
  const made = createProducer({ redisUrl: test.url, prefix: test.newPrefix(), packMs: 10_000 });
  const call = made.enqueue(link(1));
  await made[Symbol.asyncDispose]();
  await call;
  expect(await queued()).toHaveLength(1);
  await expect(made.enqueue(link(2))).rejects.toBeInstanceOf(EnqueueError);
});

describe('createProducer', () => {
  it('names every unknown option, of HubSpot as well, and says what was probably meant', () => {
    const options = { redisURL: 'redis://:hunter2@h', requestRetentionDay: 1, hubspot: { accesToken: 'x' } };
    expect(problemsOf(() => createProducer(options as ProducerOptions))).toEqual([
      'redisURL is not an option: did you mean redisUrl?',
      'requestRetentionDay is not an option: did you mean requestRetentionDays?',
      'hubspot.accesToken is not an option: did you mean accessToken?',
    ]);
    const wrong = { hubspot: { rateLimitCalls: 0, apiVersion: 'v5' } };
    expect(problemsOf(() => createProducer(wrong))).toEqual([
      expect.stringMatching(/^hubspot\.apiVersion "v5" is not one of/),
      expect.stringMatching(/^hubspot\.rateLimitCalls "0" is not an integer/),
    ]);
  });

  it('takes an object, and does not repeat what it was given in its place', () => {
    const url = 'redis://:hunter2@host' as unknown as ProducerOptions;
    expect(problemsOf(() => createProducer(url)).join()).toBe('options: not an object, such as { redisUrl }');
  });

  it('makes producers whose calls name unknown options, and then enqueue nothing', async () => {
    const made = producer();
    const high = { prority: 'high' } as object;
    await expect(made.enqueue(link(1), high)).rejects.toMatchObject({
      problems: ['prority is not an option: did you mean priority?'],
    });
    const request = { request: { nam: 'x', id: 'a b' } } as object;
    await expect(made.enqueueMany([link(1)], request)).rejects.toMatchObject({
      problems: ['request.nam is not an option: did you mean name?', expect.stringMatching(/^request\.id/)],
    });
    const timeout = { singal: AbortSignal.timeout(1_000) } as object;
    for (const call of [made.waitFor('x', timeout), made.cancel('x', timeout)])
      await expect(call).rejects.toMatchObject({
        problems: ['singal is not an option: did you mean signal?'],
      });
    expect(await queued()).toEqual([]);
  });

  it('lists every wrong option at once, without the URL', () => {
    const wrong = {
      redisUrl: 'http://:hunter2@host',
      prefix: '',
      account: 'a:b',
      maxUnacknowledged: 0,
      packMs: -1,
    };
    const made = () => createProducer({ ...wrong, source: 'x'.repeat(201) });
    expect(made).toThrow(ConfigError);
    try {
      made();
    } catch (error) {
      expect((error as ConfigError).problems).toHaveLength(6);
      expect((error as ConfigError).message).not.toContain('hunter2');
    }
  });

  it('refuses a request id that is too long, or that no key can have', async () => {
    for (const id of ['x'.repeat(101), 'a:b', ''])
      await expect(producer().enqueueMany([], { request: { id } })).rejects.toBeInstanceOf(ConfigError);
  });
});

function problemsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}
const bound = (made: Producer) => ({ enqueue: made.enqueue.bind(made) });
