/**
 * The webhooks: each event once, whichever process dies. The first part asks the scripts what they decide, on Redis' clock;
 * the others are real receivers, real processes, and a kill -9 while an event is on its way.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Keys } from '../../src/shared/contract/keys.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { loadScript } from '../../src/shared/runtime/script.js';
import { queuedKeys } from '../../src/shared/state/queue-state.js';
import type { Announcement } from '../../src/shared/webhooks/announcement.js';
import { announcersOf } from '../../src/shared/webhooks/announcer.js';
import { signatureOf } from '../../src/shared/webhooks/signed-body.js';
import { eventually } from '../support/eventually.js';
import { TOKEN, useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

describe('what is told, and when', () => {
  const take = loadScript(new URL('../../src/shared/webhooks/take.lua', import.meta.url));
  const report = loadScript(new URL('../../src/shared/webhooks/report.lua', import.meta.url));
  let keys: Keys;
  let redis: Redis;
  beforeEach(async () => {
    await rig.start();
    ({ keys, redis } = rig);
  });
  /** a process asks for ALERT_WEBHOOK_URL */
  const look = async (rate = 5): Promise<Announcement | undefined> => {
    const taken = await take(
      redis,
      [
        ...[keys.alerts, keys.alertSamples, keys.hold, keys.counters, bullmqKeys(keys).meta, keys.workers],
        ...[keys.requests, keys.requestsToAnnounce, ...queuedKeys(keys)],
      ],
      ['me', 60_000, 10_000, rate, -1],
    );
    return taken ? (JSON.parse(String(taken)) as Announcement) : undefined;
  };
  const tell = ({ id, at }: Announcement, what: 'taken' | 'failed', by = 'me') =>
    report(redis, [keys.alerts, keys.requests, keys.requestsToAnnounce], [id, at, by, what, '']);
  const done = (event: Announcement) => tell(event, 'taken');
  const hold = (kind: string, forMs = 600_000) =>
    redis.hset(keys.hold, { until: Date.now() + forMs, kind, reason: 'because' });
  /** shifts the times that the script noted into the past */
  const backdate = async (field: string, ms: number) =>
    redis.hset(keys.alerts, field, Number(await redis.hget(keys.alerts, field)) - ms);
  const told = async (): Promise<string[]> => {
    const events: string[] = [];
    for (let event = await look(); event; event = await look()) {
      events.push(event.kind);
      await done(event);
    }
    return events;
  };

  test('held: at once, once, by one of many', async () => {
    await hold('auth');
    const taken = (await Promise.all(Array.from({ length: 20 }, () => look()))).filter(Boolean);
    expect(taken).toMatchObject([{ kind: 'held', hold: 'auth', reason: 'because' }]);
    expect(await look()).toBeUndefined(); // a process posts it
    await done(taken[0] as Announcement);
    expect(await told()).toEqual([]);
    await redis.hset(keys.hold, 'reason', 'another word');
    expect(await told()).toEqual([]);
  });

  test('a process that dies with it leaves it to the next one', async () => {
    await hold('daily');
    const event = await look();
    expect(await look()).toBeUndefined();
    await backdate('leaseUntil', 60_000);
    expect(await look()).toEqual(event);
    await tell(event as Announcement, 'failed', 'the one that was thought dead');
    expect(await redis.hget(keys.alerts, 'leasedBy')).toBe('me');
    await done(event as Announcement);
    expect(await told()).toEqual([]);
  });

  test.each([
    ['new', 'pausedUntil', 0],
    ['posted before', 'againFrom', 1],
  ])(
    'what is not accepted and is %s pauses, twice as long each time, at most five minutes; it is no news after a day',
    async (_which, field, notBefore) => {
      await hold('daily');
      const waiting = async () =>
        JSON.parse((await redis.hget(keys.alerts, 'outbox')) ?? '[]') as Announcement[];
      const makeDue = async () => {
        const outbox = JSON.stringify((await waiting()).map(event => ({ ...event, notBefore })));
        await redis.hset(keys.alerts, { outbox, pausedUntil: 0, againFrom: 0 });
      };
      await look();
      await redis.hdel(keys.alerts, 'leaseUntil');
      await makeDue();
      const pauses: number[] = [];
      for (let tries = 1; tries <= 10; tries++) {
        const event = await look();
        expect(event).toMatchObject({ kind: 'held' });
        await tell(event as Announcement, 'failed');
        expect(await look()).toBeUndefined();
        const [[seconds]] = [await redis.time()];
        pauses.push(Math.round(Number(await redis.hget(keys.alerts, field)) / 1_000 - Number(seconds)));
        await makeDue();
      }
      const doubled = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
      for (const [at, pause] of pauses.entries())
        expect(Math.abs(pause - (doubled[at] ?? 0))).toBeLessThanOrEqual(1);
      const [yesterday] = await waiting();
      const old = { ...yesterday, at: Date.now() - 86_460_000 };
      await redis.hset(keys.alerts, 'outbox', JSON.stringify([old]));
      expect(await told()).toEqual([]);
      expect(await redis.hget(keys.alerts, 'outbox')).toBeNull();
    },
  );

  test('a 429 is announced when it has lasted for a minute', async () => {
    await hold('rate-limit');
    expect(await told()).toEqual([]);
    await backdate('heldSince', 59_000);
    expect(await told()).toEqual([]);
    await backdate('heldSince', 1_000);
    expect(await told()).toEqual(['held']);
  });

  test('short holds come and go without a word', async () => {
    for (let round = 0; round < 5; round++) {
      await hold('rate-limit');
      expect(await told()).toEqual([]);
      await redis.del(keys.hold);
      expect(await told()).toEqual([]);
    }
  });

  test('flowing again: when it stays so, and with how long it took', async () => {
    await hold('auth');
    expect(await told()).toEqual(['held']);
    await redis.del(keys.hold);
    expect(await told()).toEqual([]);
    await hold('auth'); // a new replica has tried
    expect(await told()).toEqual([]);
    await redis.del(keys.hold);
    expect(await told()).toEqual([]);
    await backdate('freeSince', 3_000);
    await backdate('heldSince', 63_000);
    const event = await look();
    expect(event).toMatchObject({ kind: 'resumed' });
    expect(event).toHaveProperty('heldMs', expect.any(Number));
    expect(Math.round((event as { heldMs: number }).heldMs / 10_000)).toBe(6);
  });

  test('between two probes the account is still held, as long as there is a job to probe with', async () => {
    await redis.hset(keys.hold, { until: Date.now() - 1_000, kind: 'auth', reason: 'because', strikes: 3 });
    expect(await told()).toEqual([]);
    await redis.lpush(bullmqKeys(keys).wait, 'a job');
    expect(await told()).toEqual(['held']);
  });

  test('a queue that was emptied while the account was held does not flow again: a probe has to succeed', async () => {
    await redis.lpush(bullmqKeys(keys).wait, 'a job');
    await redis.hset(keys.hold, { until: Date.now() - 1_000, kind: 'auth', reason: 'because', strikes: 3 });
    expect(await told()).toEqual(['held']);
    await redis.del(bullmqKeys(keys).wait);
    expect(await told()).toEqual([]);
    expect(await redis.hexists(keys.alerts, 'freeSince')).toBe(0);
    await redis.del(keys.hold);
    expect(await told()).toEqual([]);
    await backdate('freeSince', 3_000);
    expect(await told()).toEqual(['resumed']);
  });

  test('rejections past the rate: once, and again when it was over', async () => {
    const decided = (created: number, rejected: number) => redis.hset(keys.counters, { created, rejected });
    await decided(1_000_000, 50_000); // of earlier days
    expect(await told()).toEqual([]);
    await decided(1_000_080, 50_019);
    expect(await told()).toEqual([]); // 19 of 99: too few to be a rate
    await decided(1_000_950, 50_050);
    expect(await told()).toEqual([]); // 5 %, not more
    await decided(1_000_950, 50_100);
    expect(await look()).toMatchObject({ kind: 'rejections', rejected: 100, decided: 1_050, rate: 5 });
    await redis.hdel(keys.alerts, 'outbox', 'leaseUntil');
    await decided(1_001_000, 50_900);
    expect(await told()).toEqual([]);
    await decided(1_100_000, 50_900);
    expect(await told()).toEqual([]); // 0.9 %: over
    await decided(1_100_000, 70_900);
    expect(await told()).toEqual(['rejections']);
    await decided(1_100_000, 0); // all of them are retried
    expect(await told()).toEqual([]);
  });

  test('no worker while work waits: after a minute, once, and again when one is alive; not in a paused queue', async () => {
    const alive = () => redis.zadd(keys.workers, Date.now(), 'w');
    await redis.lpush(bullmqKeys(keys).wait, 'a job');
    await redis.hset(bullmqKeys(keys).meta, 'paused', 1);
    expect(await told()).toEqual([]);
    expect(await redis.hexists(keys.alerts, 'missingSince')).toBe(0);
    await redis.hdel(bullmqKeys(keys).meta, 'paused');
    expect(await told()).toEqual([]);
    await alive(); // a restart
    expect(await told()).toEqual([]);
    await redis.zadd(keys.workers, Date.now() - 10_100, 'w'); // it has fallen silent
    expect(await told()).toEqual([]);
    await backdate('missingSince', 59_000);
    expect(await told()).toEqual([]);
    await backdate('missingSince', 1_000);
    expect(await look()).toMatchObject({ kind: 'workers.missing', jobs: 1 });
    await redis.hdel(keys.alerts, 'outbox', 'leaseUntil');
    expect(await told()).toEqual([]);
    await redis.del(bullmqKeys(keys).wait);
    expect(await told()).toEqual([]);
    await alive();
    expect(await told()).toEqual(['workers.back']);
    expect(await told()).toEqual([]);
  });

  test('0 percent: never', async () => {
    await look(0);
    await redis.hset(keys.counters, { created: 0, rejected: 1_000 });
    expect(await look(0)).toBeUndefined();
  });
});

describe('the ends of requests that a receiver does not take', () => {
  const take = loadScript(new URL('../../src/shared/webhooks/take.lua', import.meta.url));
  const report = loadScript(new URL('../../src/shared/webhooks/report.lua', import.meta.url));
  let keys: Keys;
  let redis: Redis;
  let doneAt: number;
  beforeEach(async () => {
    await rig.start();
    ({ keys, redis } = rig);
    doneAt = Date.now() - 600_000; // so that the pause of an event is the longest
    await look(); // the first look announces nothing
  });
  const look = async (): Promise<string | undefined> => {
    const { requestWebhook, alertSamples, hold, counters, workers, requests, requestsToAnnounce } = keys;
    const taken = await take(
      redis,
      [
        ...[requestWebhook, alertSamples, hold, counters, bullmqKeys(keys).meta, workers],
        ...[requests, requestsToAnnounce, ...queuedKeys(keys)],
      ],
      ['me', 60_000, 10_000, -1, 0],
    );
    return taken ? (JSON.parse(String(taken)) as { request: string }).request : undefined;
  };
  /** A request has ended. */
  const end = async (id: string) => {
    doneAt += 1;
    await redis.hset(keys.requests + id, { accepted: 5, name: id, doneAt });
    await redis.zadd(keys.requestsToAnnounce, doneAt, id);
  };
  const tell = async (id: string, fate: 'taken' | 'refused' | 'failed' | 'gone') => {
    const at = (await redis.hget(keys.requests + id, 'doneAt')) ?? '';
    const scriptKeys = [keys.requestWebhook, keys.requests, keys.requestsToAnnounce];
    await report(redis, scriptKeys, [`${id}-${at}`, at, 'me', fate, id]);
  };
  /** as if the pauses of these events were over */
  const due = async (...ids: string[]) => {
    for (const [at, id] of ids.entries())
      await redis.zadd(keys.requestsToAnnounce, 'XX', String(at - 1e13), id);
  };
  const pauseOf = async (field: 'pausedUntil' | 'againFrom') =>
    Math.round((Number(await redis.hget(keys.requestWebhook, field)) - Date.now()) / 1_000);

  test('refused: the others go at once, and what is refused for ever holds up nothing that comes later', async () => {
    for (const id of ['a', 'b', 'c']) await end(id);
    expect(await look()).toBe('a');
    await tell('a', 'refused');
    expect(await look()).toBe('b');
    await tell('b', 'refused');
    expect(await look()).toBe('c');
    await tell('c', 'taken');
    expect(await look()).toBeUndefined(); // each waits for its own pause
    for (let times = 0; times < 4; times++) {
      await due('a', 'b');
      await redis.hdel(keys.requestWebhook, 'againFrom');
      expect(await look()).toBe('a');
      await tell('a', times % 2 === 0 ? 'refused' : 'failed');
      expect(await look()).toBeUndefined(); // b has to wait as well
      expect(Math.abs((await pauseOf('againFrom')) - 2 ** (times + 1))).toBeLessThanOrEqual(1);
      await end(`new-${times}`);
      expect(await look()).toBe(`new-${times}`);
      await tell(`new-${times}`, 'refused');
    }
    await due('a', 'b', 'new-0');
    await end('good');
    expect(await look()).toBe('good');
    await tell('good', 'taken');
    // the receiver takes events: those that it did not take are tried again, each after its own pause
    for (const id of ['a', 'b', 'new-0']) {
      expect(await look()).toBe(id);
      await tell(id, 'taken');
    }
  });

  test('the receiver is away: one post after each pause, the next event first; an answer shows that it is back', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await end(id);
    for (const [at, id] of ['a', 'b'].entries()) {
      expect(await look()).toBe(id);
      await tell(id, 'failed');
      expect(await look()).toBeUndefined();
      expect(Math.abs((await pauseOf('pausedUntil')) - 2 ** (at + 1))).toBeLessThanOrEqual(1);
      await redis.hset(keys.requestWebhook, 'pausedUntil', 0);
      await due(...['a', 'b'].slice(0, at + 1));
    }
    expect(await look()).toBe('c');
    await tell('c', 'refused');
    expect(await redis.hmget(keys.requestWebhook, 'strikes', 'pausedUntil')).toEqual([null, null]);
    expect(await look()).toBe('d');
    await tell('d', 'failed');
    await tell('d', 'gone'); // nobody has asked the receiver
    expect(await redis.hget(keys.requestWebhook, 'strikes')).toBe('1');
    expect(await redis.zrange(keys.requestsToAnnounce, 0, '-1')).toEqual(['a', 'b', 'c']);
  });

  test('one whose end no date can say, because another client wrote it, leaves and holds up no other', async () => {
    await redis.hset(`${keys.requests}odd`, { accepted: 5, name: 'odd', doneAt: '9000000000000000' });
    await redis.zadd(keys.requestsToAnnounce, 1, 'odd');
    await end('a');
    expect(await look()).toBe('a');
    expect(await redis.zrange(keys.requestsToAnnounce, 0, '-1')).toEqual(['a']);
  });

  test('a thousand that wait to be posted again hide no new one', async () => {
    for (let at = 0; at < 1_000; at++) await redis.zadd(keys.requestsToAnnounce, at - 1e13, `old-${at}`);
    await end('new');
    expect(await look()).toBe('new');
    await tell('new', 'taken');
  });
});

describe('two workers and a receiver', () => {
  const PATH = '/services/T000/B000/very-secret-path';
  const posts: string[] = [];
  let answer: (response: ServerResponse, text: string) => void;
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { text } = JSON.parse(body) as { text: string };
    posts.push(`${request.method} ${request.url} ${text}`);
    answer(response, text);
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
  });

  test('held, flowing again and rejections: each is announced once, although one replica dies and the receiver fails', async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`;
    await rig.start({ env: { ALERT_WEBHOOK_URL: webhook } });
    rig.simulator.setOptions({ accessToken: 'another' });
    const good = goodPairs(400);
    await rig.enqueue(good.slice(0, 200), 100);

    answer = () => {}; // the receiver accepts it and does not answer
    const dying = rig.startWorker();
    await eventually(() => expect(posts).toHaveLength(1));
    await dying.end('SIGKILL');
    await rig.redis.hdel(rig.keys.alerts, 'leaseUntil'); // as if its time was over
    answer = (response, text) => {
      const stumbles =
        text.includes('rejected') && posts.filter(post => post.includes('rejected')).length === 1;
      response.writeHead(stumbles ? 500 : 200).end();
    };
    const workers = [rig.startWorker(), rig.startWorker()];
    await eventually(() => expect(posts).toHaveLength(2));
    expect(posts[1]).toBe(posts[0]);
    expect(posts[0]).toMatch(
      /^POST \/services\S* :red_circle: .*the HubSpot account is held\. Nothing is lost\.\n401 from HubSpot: /,
    );

    rig.simulator.setOptions({ accessToken: TOKEN });
    await rig.redis.hset(rig.keys.hold, 'until', 0); // the pauses have grown: probe now
    await eventually(() =>
      expect(posts.at(-1)).toMatch(/:large_green_circle: .*flowing again after \d+ s\.$/),
    );
    const bad = Array.from({ length: 60 }, (_, at): [string, string] => [`nobody-${at}`, '1']);
    await rig.enqueue([...good.slice(200), ...bad], 130);
    await rig.drained();
    await eventually(() => expect(posts.filter(post => post.includes('rejected'))).toHaveLength(2));
    await eventually(async () => expect(await rig.redis.hget(rig.keys.alerts, 'outbox')).toBeNull());
    await rig.expectAccounted(good, bad);
    const output = [dying, ...workers].map(worker => worker.output()).join('');
    await Promise.all(workers.map(worker => worker.end('SIGTERM')));
    expect(posts.map(post => /:(\w+):/.exec(post)?.[1])).toEqual([
      'red_circle',
      'red_circle', // the one that was not answered
      'large_green_circle',
      'warning',
      'warning', // the one that was answered with 500
    ]);
    expect(output).toContain('"event":"alert","kind":"rejections"');
    expect(output).toContain('it answered 500');
    expect(output).not.toContain('very-secret-path');
    expect(JSON.stringify(await rig.redis.hgetall(rig.keys.alerts))).not.toContain('very-secret-path');
  });
});

type Event = { event: string; id: string; request?: Record<string, unknown>; workers?: { jobs: number } };
type Post = Event & { signature: string; body: string };
const SECRET = 'a-very-secret-key-of-signatures';

/** A receiver of REQUEST_WEBHOOK_URL. */
class Receiver {
  readonly posts: Post[] = [];
  /** @returns the status of the answer */
  answer: (post: Post) => number | Promise<number> = () => 204;
  readonly #server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const signature = String(request.headers['x-association-queue-signature']);
    const post = { ...(JSON.parse(body) as Event), signature, body };
    this.posts.push(post);
    response.writeHead(await this.answer(post)).end();
  });

  async start(): Promise<Record<string, string>> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return {
      REQUEST_WEBHOOK_URL: `http://127.0.0.1:${port}/hooks/very-secret-path`,
      REQUEST_WEBHOOK_SECRET: SECRET,
    };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** every post is signed, with a time of its own */
  expectSigned(): void {
    for (const { signature, body } of this.posts) {
      const seconds = Number(/^t=(\d+),/.exec(signature)?.[1]);
      expect(Math.abs(Date.now() / 1_000 - seconds)).toBeLessThan(300);
      expect(signature).toBe(signatureOf(body, SECRET, seconds * 1_000));
    }
  }
}

describe('the ends of requests', () => {
  let receiver: Receiver;
  beforeEach(() => {
    receiver = new Receiver();
  });
  afterEach(() => receiver.stop());

  test('a named request is told once when it is done, twice with one id if the process dies in between; then missing workers are told', async () => {
    await rig.start();
    const env = await receiver.start();
    const worker = rig.startWorker(env);
    receiver.answer = async () => {
      await worker.end('SIGKILL'); // it has posted, and has not noted it
      return 204;
    };
    const gateway = await rig.startGateway();
    const inputs = [...goodPairs(3), ['999000001', '500000777']].map(([from, to]) => ({
      ...{ from: { id: from }, to: { id: to } },
      types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
    }));
    const { body } = await gateway.post(inputs, { 'x-request-name': 'nightly' });
    await gateway.post(inputs.slice(0, 2)); // without a name and small: nobody is told
    const id = body.links?.status.split('/')[2];
    await eventually(() => expect(receiver.posts).toHaveLength(1));
    expect(receiver.posts[0]).toMatchObject({
      event: 'request.done',
      request: {
        ...{ id, name: 'nightly', via: 'gateway', state: 'done', account: 'default' },
        ...{ accepted: 4, created: 3, rejected: 1, cancelled: 0, queued: 0 },
        rejections: [{ category: 'OBJECT_NOT_FOUND', count: 1 }],
      },
    });
    await worker.end();
    receiver.answer = () => 204;
    await rig.redis.hdel(rig.keys.requestWebhook, 'leaseUntil'); // as if its time was over
    const living = await rig.startGateway(env);
    await eventually(async () => expect(await rig.redis.zcard(rig.keys.requestsToAnnounce)).toBe(0));
    expect(receiver.posts.map(({ body }) => body)).toEqual(Array(2).fill(receiver.posts[0]?.body));

    await rig.enqueue(goodPairs(10, 100_000_100), 10);
    await rig.redis.del(rig.keys.workers);
    await eventually(async () =>
      expect(await rig.redis.hexists(rig.keys.requestWebhook, 'missingSince')).toBe(1),
    );
    await rig.redis.hincrby(rig.keys.requestWebhook, 'missingSince', -60_000);
    await eventually(() => expect(receiver.posts.at(-1)).toMatchObject({ event: 'workers.missing' }));
    const unwanted = await living.post(inputs, { 'x-request-name': 'unwanted' });
    const path = `${living.url}${unwanted.body.links?.status}`;
    expect((await fetch(path, { method: 'DELETE' })).status).toBe(200);
    await eventually(() =>
      expect(receiver.posts.at(-1)).toMatchObject({
        event: 'request.cancelled',
        request: { name: 'unwanted', state: 'cancelled', cancelled: 4, queued: 0 },
      }),
    );
    const next = rig.startWorker();
    await eventually(() => expect(receiver.posts.at(-1)).toMatchObject({ event: 'workers.back' }));
    await rig.drained();
    expect(receiver.posts).toHaveLength(5);
    receiver.expectSigned();
    const output = [worker, next, gateway, living].map(process => process.output()).join('');
    const kept = JSON.stringify(await rig.redis.hgetall(rig.keys.requestWebhook));
    for (const secret of ['very-secret-path', SECRET]) expect(output + kept).not.toContain(secret);
    const test = await new Promise<string>((resolve, reject) =>
      execFile(process.execPath, ['dist/cli.js', 'alerts', 'test'], { env }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      ),
    );
    expect(test).toMatch(
      /^REQUEST_WEBHOOK_URL \(127\.0\.0\.1:\d+\): the test was taken: it answered 204 after \d+ ms\n$/,
    );
    expect(receiver.posts.at(-1)).toMatchObject({ event: 'test', account: 'default' });
  });

  test('a receiver that is away, refuses or does not want an event loses none and holds up no other', async () => {
    await rig.start();
    const { redis, keys } = rig;
    const config = parseConfig({ ...(await receiver.start()), REQUEST_WEBHOOK_MIN: '600' });
    const end = (id: string, fields: Record<string, string | number> = { name: id }, doneAt = Date.now()) =>
      redis
        .multi()
        .hset(keys.requests + id, {
          accepted: 5,
          created: 5,
          via: 'library',
          enqueuedAt: 1,
          doneAt,
          ...fields,
        })
        .zadd(keys.requestsToAnnounce, String(doneAt), id)
        .exec();
    const parts = { redis, keys, logger: createLogger('silent', 'test') };
    const posters = [...announcersOf(config, parts), ...announcersOf(config, parts)];
    const heard = (from = 0) => receiver.posts.slice(from).map(({ request }) => String(request?.id));
    /** as if all pauses were over */
    const goOn = async () => {
      const pausing = await redis.zrangebyscore(keys.requestsToAnnounce, '-inf', '(0');
      for (const id of pausing) await redis.zadd(keys.requestsToAnnounce, 'XX', '-1e13', id);
      await redis.hdel(keys.requestWebhook, 'pausedUntil', 'againFrom');
    };
    const isEmpty = async () => expect(await redis.zcard(keys.requestsToAnnounce)).toBe(0);

    await end('history', { name: 'history' }, Date.now() - 7_200_000);
    await end('recent');
    receiver.answer = () => 503;
    for (const poster of posters) await poster.start();
    try {
      await eventually(async () => expect(await redis.hget(keys.requestWebhook, 'strikes')).toBe('1'));
      await redis.hset(keys.requestWebhook, 'pausedUntil', Date.now() + 600_000); // it has been away for long
      for (let at = 0; at < 30; at++) await end(`r${at}`);
      await end('small', { accepted: 600 });
      await end('large', { accepted: 601, created: 601 });
      await end('reopened');
      await redis.hdel(`${keys.requests}reopened`, 'doneAt');
      expect(heard()).toEqual(['recent']);
      expect(await redis.zcard(keys.requestsToAnnounce)).toBe(34);

      receiver.answer = ({ request }) =>
        (({ r7: 400, r9: 410 }) as Record<string, number>)[String(request?.id)] ?? 200;
      await eventually(async () => {
        await goOn();
        expect(await redis.zrange(keys.requestsToAnnounce, 0, '-1')).toEqual(['r7']);
      });
      receiver.answer = () => 200;
      await eventually(async () => {
        await goOn();
        await isEmpty();
      });
      const names = Array.from({ length: 30 }, (_, at) => `r${at}`);
      expect(new Set(heard())).toEqual(new Set(['recent', ...names, 'large']));
      expect(heard().filter(id => id === 'r9')).toHaveLength(1);
      const ids = new Map(receiver.posts.map(({ id, request }) => [request?.id, id]));
      for (const { id, request } of receiver.posts) expect(ids.get(request?.id)).toBe(id);

      // it ends again while its first end is on its way
      const before = receiver.posts.length;
      receiver.answer = async ({ request }) => {
        receiver.answer = () => 200;
        await end(String(request?.id), { name: 'again' }, Date.now() + 1);
        return 200;
      };
      await end('twice');
      await eventually(isEmpty);
      expect(heard(before)).toEqual(['twice', 'twice']);
      expect(new Set(receiver.posts.slice(before).map(({ id }) => id)).size).toBe(2);
      receiver.expectSigned();
      expect(await redis.hkeys(keys.requestWebhook)).toEqual(['since']);
      expect(await redis.ttl(keys.requestWebhook)).toBeGreaterThan(6 * 86_400);
    } finally {
      for (const poster of posters) await poster.stop();
    }
  });
});
