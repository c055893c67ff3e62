/**
 * The webhook: once per incident for all replicas, whichever dies. The first part asks the script what it decides, on
 * Redis' clock; the second is two real workers, a receiver, and a kill -9 while an announcement is on its way.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Keys } from '../../src/shared/contract/keys.js';
import { loadScript } from '../../src/shared/runtime/script.js';
import { queuedKeys } from '../../src/shared/state/queue-state.js';
import type { Announcement } from '../../src/worker/alerts/announcement.js';
import { eventually } from '../support/eventually.js';
import { TOKEN, useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

describe('what is told, and when', () => {
  const observe = loadScript(new URL('../../src/worker/alerts/observe.lua', import.meta.url));
  const posted = loadScript(new URL('../../src/worker/alerts/posted.lua', import.meta.url));
  let keys: Keys;
  let redis: Redis;
  beforeEach(async () => {
    await rig.start();
    ({ keys, redis } = rig);
  });
  const look = async (rate = 5): Promise<Announcement | undefined> => {
    const taken = await observe(
      redis,
      [keys.alerts, keys.alertSamples, keys.hold, keys.counters, ...queuedKeys(keys)],
      [rate, 60_000],
    );
    return taken ? (JSON.parse(String(taken)) as Announcement) : undefined;
  };
  const done = ({ id }: Announcement) => posted(redis, [keys.alerts], [id]);
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
    expect(taken).toMatchObject([{ kind: 'held', hold: 'auth', reason: 'because', tries: 1 }]);
    expect(await look()).toBeUndefined(); // a replica posts it
    await done(taken[0] as Announcement);
    expect(await told()).toEqual([]);
    await redis.hset(keys.hold, 'reason', 'another word');
    expect(await told()).toEqual([]);
  });

  test('a replica that dies with it leaves it to the next one; it is given up in the end', async () => {
    await hold('daily');
    const ids = new Set<number>();
    for (let tries = 1; tries <= 8; tries++) {
      const event = await look();
      expect(event).toMatchObject({ kind: 'held', tries });
      ids.add(event?.id ?? 0);
      const outbox = JSON.parse((await redis.hget(keys.alerts, 'outbox')) ?? '[]') as { notBefore: number }[];
      for (const waiting of outbox) waiting.notBefore = 0;
      if (outbox.length > 0) await redis.hset(keys.alerts, 'outbox', JSON.stringify(outbox));
    }
    expect(ids.size).toBe(1);
    expect(await look()).toBeUndefined();
  });

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
    await redis.hdel(keys.alerts, 'outbox');
    await decided(1_001_000, 50_900);
    expect(await told()).toEqual([]);
    await decided(1_100_000, 50_900);
    expect(await told()).toEqual([]); // 0.9 %: over
    await decided(1_100_000, 70_900);
    expect(await told()).toEqual(['rejections']);
    await decided(1_100_000, 0); // all of them are retried
    expect(await told()).toEqual([]);
  });

  test('0 percent: never', async () => {
    await look(0);
    await redis.hset(keys.counters, { created: 0, rejected: 1_000 });
    expect(await look(0)).toBeUndefined();
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
