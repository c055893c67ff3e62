/** Access to the dashboard: real processes, and requests that no browser would send. */

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { Overview } from '../../src/dashboard/overview/overview.js';
import { Poller } from '../../src/dashboard/web/poller.js';
import { createServer } from '../../src/dashboard/web/server.js';
import { accountKeys, DEFAULT_ACCOUNT } from '../../src/shared/contract/keys.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { type DashboardProcess, OWN } from '../support/dashboard.js';
import { eventually } from '../support/eventually.js';
import { noReplicas } from '../support/replicas.js';
import { useRig } from '../support/rig.js';
import { contactsToCompanies, goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

const PASSWORD = { DASHBOARD_USER: 'oncall', DASHBOARD_PASSWORD: 'hunter2-secret' };
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const BOARD = '/queues/api/queues/hubspot-associations';

/** Sends the path unchanged, which fetch would normalize. */
async function raw(
  page: DashboardProcess,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const { hostname, port } = new URL(page.url);
  const asking = request({ hostname, port, method, path, headers, agent: false }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.destroy();
  return answer.statusCode ?? 0;
}

/** Spellings of a path that look like another path. */
function disguises(path: string): string[] {
  const [, first = '', ...rest] = path.split('/');
  const tail = rest.length > 0 ? `/${rest.join('/')}` : '';
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16)}`;
  const encoded = `${hex(first.charAt(0))}${first.slice(1)}`;
  return [
    `/${encoded}${tail}`,
    `/${[...first].map(hex).join('')}${tail}`,
    `/${first}${tail.replace('/a', '/%61').replace('/p', '/%70')}`,
    `//${first}${tail}`,
    `/${first}/${tail}`,
    `/.//${first}${tail}`,
    `/%2e/${first}${tail}`,
    `/healthz/../${first}${tail}`,
    `/healthz/%2e%2e/${first}${tail}`,
    `/healthz/..;/${first}${tail}`,
    `/${first}/..;${tail}`,
    `/${first};x${tail}`,
    `/healthz;/${first}${tail}`,
    `/healthz%2f..%2f${first}${tail}`,
    `/${first.toUpperCase()}${tail}`,
    `/${first}${tail.toUpperCase()}`,
    `/${first}${tail}/`,
    `/${first}${tail}%00`,
    `/\\${first}${tail}`,
    `http://127.0.0.1/${first}${tail}`,
    `/${first}${tail}?/healthz`,
    `/${first}${tail}#/healthz`,
  ];
}

describe('however a path is written', () => {
  const READS = [
    '/api/state',
    '/api/search',
    '/queues/api/queues',
    `${BOARD}/1`,
    '/metrics',
    '/queues/static/x',
  ];
  const WRITES: [string, string][] = [
    ['POST', '/api/pause'],
    ['POST', '/api/rejections/discard'],
    ['PUT', `${BOARD}/pause`],
    ['PUT', '/queues/api/queues/pause'],
    ['PUT', `${BOARD}/obliterate`],
  ];
  const passed = (status: number) => status < 300;

  it('another site reads and changes nothing, our header is needed, and read-only is final', async () => {
    await rig.start();
    await rig.enqueue(goodPairs(10), 10);
    const page = await rig.startDashboard();
    const watching = await rig.startDashboard({ DASHBOARD_READ_ONLY: 'true' });
    const slipped: string[] = [];
    const note = (status: number, what: string) => passed(status) && slipped.push(`${what} → ${status}`);
    const elsewhere = { 'sec-fetch-site': 'cross-site' };
    const link = { ...elsewhere, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    for (const path of READS.flatMap(read => [read, ...disguises(read)]))
      for (const headers of [elsewhere, link, { origin: 'https://evil.example' }])
        for (const method of ['GET', 'HEAD'])
          note(await raw(page, method, path, headers), `${method} ${path} ${JSON.stringify(headers)}`);
    for (const [method, write] of WRITES)
      for (const path of [write, ...disguises(write)]) {
        for (const headers of [elsewhere, { ...OWN, ...elsewhere }, {}])
          note(await raw(page, method, path, headers), `${method} ${path}`);
        if (!write.startsWith('/queues'))
          note(await raw(page, method, path, { 'sec-fetch-site': 'same-origin' }), `no header: ${path}`);
        note(await raw(watching, method, path, OWN), `read-only: ${method} ${path}`);
      }
    expect(slipped).toEqual([]);
    expect(await rig.queue.isPaused()).toBe(false);
    expect(await rig.queue.getWaitingCount()).toBe(1);
    // and our own page gets all of it
    for (const read of READS.slice(0, 1)) expect(await raw(page, 'GET', read, OWN)).toBe(200);
    for (const path of ['/', '/queues/', '/queues/queue/hubspot-associations'])
      expect([path, await raw(page, 'GET', path, link)]).toEqual([path, 200]);
    expect(await raw(page, 'PUT', `${BOARD}/pause`, { 'sec-fetch-site': 'same-origin' })).toBe(200);
  });

  it('the dashboard shows health only without the password, and nothing by another host name', async () => {
    await rig.start();
    const page = await rig.startDashboard(PASSWORD);
    const open = await rig.startDashboard();
    const slipped: string[] = [];
    for (const path of ['/', '/queues/', ...READS].flatMap(read => [read, ...disguises(read)])) {
      // what asks for something else after the path is that path's own
      for (const headers of [{}, { authorization: basic('oncall:') }])
        if (passed(await raw(page, 'GET', path, headers as Record<string, string>))) slipped.push(path);
      if (passed(await raw(open, 'GET', path, { host: 'evil.example' }))) slipped.push(`rebound: ${path}`);
    }
    expect(slipped).toEqual([]);
    for (const path of ['/healthz', '/readyz']) expect(await raw(page, 'GET', path)).toBe(200);
  });
});

describe('the password', () => {
  it('opens everything, and appears in no log', async () => {
    await rig.start();
    const page = await rig.startDashboard({ ...PASSWORD, DASHBOARD_HOST: '0.0.0.0' });
    const authorization = basic('oncall:hunter2-secret');
    for (const path of ['/', '/api/state', '/api/events', '/queues/', '/metrics', '/assets/page/app.js']) {
      const refused = await page.get(path);
      expect([path, refused.status, refused.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        expect.stringMatching(/^Basic /),
      ]);
    }
    for (const path of ['/', '/api/state', '/queues/', '/metrics'])
      expect((await page.get(path, { authorization })).status).toBe(200);
    expect((await page.get('/healthz')).status).toBe(200);
    expect((await page.post('/api/pause', { ...OWN })).status).toBe(401);
    expect((await page.post('/api/pause', { ...OWN, authorization })).status).toBe(200);
    expect(page.output()).not.toContain('hunter2');
  });

  it('is guessed slowly, with one log line and a count, while a browser that was right before goes on', async () => {
    await rig.start();
    const page = await rig.startDashboard(PASSWORD);
    const authorization = basic('oncall:hunter2-secret');
    const entered = await page.get('/api/state', { authorization });
    const cookie = entered.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const guesses = await Promise.all(
      Array.from({ length: 40 }, (_, n) => page.get('/', { authorization: basic(`oncall:guess-${n}`) })),
    );
    const statuses = guesses.map(({ status }) => status);
    expect(statuses.filter(status => status === 401).length).toBeGreaterThanOrEqual(10);
    expect(statuses.filter(status => status === 429).length).toBeGreaterThan(20);
    expect((await page.get('/', { authorization, cookie })).status).toBe(200);
    const lines = page
      .output()
      .split('\n')
      .filter(line => line.includes('wrong password'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'wrong password', address: '127.0.0.1' });
    expect(page.output()).not.toMatch(/guess|hunter2/);
    const metrics = await (await page.get('/metrics', { authorization, cookie })).text();
    const refused = [...metrics.matchAll(/^association_dashboard_passwords_refused_total\{.*\} (\d+)$/gm)];
    expect(refused.reduce((sum, [, n]) => sum + Number(n), 0)).toBe(40);
  });
});

it('the page runs no inline script, is shown in no frame, and only it may change the state unless it is read-only', async () => {
  await rig.start();
  const page = await rig.startDashboard();
  const { headers } = await page.get('/');
  expect(headers.get('content-security-policy')).toMatch(
    /script-src 'self'; style-src 'self';.*frame-ancestors 'none'/,
  );
  expect((await page.get('/queues/')).headers.get('content-security-policy')).toMatch(/script-src 'self';/);
  const crossSite = { 'x-association-queue': '1', 'sec-fetch-site': 'cross-site' };
  for (const path of ['/api/pause', '/api/rejections/discard', '/api/requests/x/cancel'])
    expect((await page.post(path, crossSite)).status).toBe(403);
  expect((await fetch(`${page.url}${BOARD}/pause`, { method: 'PUT' })).status).toBe(403);
  expect(await rig.queue.isPaused()).toBe(false);
  for (const groups of [undefined, [], ['no group'], 'x', Array.from({ length: 501 }, (_, at) => `g${at}`)])
    expect((await page.post('/api/rejections/retry', OWN, { groups })).status).toBe(400);
  expect((await page.get('/api/rejections/none')).status).toBe(404);

  const watching = await rig.startDashboard({ DASHBOARD_READ_ONLY: 'true' });
  for (const path of [
    '/api/pause',
    '/api/resume',
    '/api/rejections/retry',
    '/api/rejections/discard',
    '/api/requests/x/cancel',
  ])
    expect([path, (await watching.post(path)).status]).toEqual([path, 403]);
  const put = await fetch(`${watching.url}${BOARD}/pause`, { method: 'PUT', headers: OWN });
  expect(put.status).toBe(403);
  expect((await watching.state()).setup.readOnly).toBe(true);
  expect(await rig.queue.isPaused()).toBe(false);
});

describe('Bull Board', () => {
  type Board = { queues: { jobs: unknown[]; pagination: { pageCount: number } }[] };
  const jobs = async (page: DashboardProcess, query: string): Promise<Board['queues'][0] | undefined> => {
    const answer = await page.get(
      `/queues/api/queues?activeQueue=hubspot-associations&status=waiting&${query}`,
    );
    expect([query, answer.status]).toEqual([query, 200]);
    return ((await answer.json()) as Board).queues[0];
  };

  it('reads at most a hundred jobs for a page and a thousand lines of a log, whatever it is asked for', async () => {
    await rig.start();
    const data = { ...contactsToCompanies, pairs: goodPairs(1) };
    await rig.queue.addBulk(Array.from({ length: 250 }, () => ({ name: 'associate', data })));
    const page = await rig.startDashboard();
    expect((await jobs(page, 'page=1&jobsPerPage=10'))?.jobs).toHaveLength(10);
    for (const asked of ['100000000', '1e9', '%20999', '0x7fffffff']) {
      const answer = await page.get(
        `/queues/api/queues?activeQueue=hubspot-associations&status=waiting&page=1&jobsPerPage=${asked}`,
      );
      const shown = answer.ok ? (((await answer.json()) as Board).queues[0]?.jobs.length ?? 0) : 0;
      expect([asked, shown <= 100]).toEqual([asked, true]);
    }
    expect(await jobs(page, 'page=3&jobsPerPage=100000')).toMatchObject({
      jobs: { length: 50 },
      pagination: { pageCount: 3 },
    });
    expect((await jobs(page, 'page=1000000000000000&jobsPerPage=100'))?.jobs).toEqual([]);
    const twice = await page.get(
      '/queues/api/queues?activeQueue=hubspot-associations&jobsPerPage=1&jobsPerPage=9999',
    );
    expect(twice.status).toBe(400);
    const [job] = await rig.queue.getWaiting(0, 0);
    const keys = accountKeys(rig.prefix);
    await rig.redis.rpush(
      `${bullmqKeys(keys).jobs}${job?.id}:logs`,
      ...Array.from({ length: 3_000 }, (_, n) => `line ${n}`),
    );
    const logs = (await (await page.get(`${BOARD}/${job?.id}/logs`)).json()) as string[];
    expect(logs).toHaveLength(1_000);
  });
});

describe('half a request', () => {
  it('is hung up on when its headers or its body do not end, also after a refusal', async () => {
    await rig.start();
    const config = parseConfig({ REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix });
    const { redis, queue } = rig;
    const keys = accountKeys(rig.prefix);
    const access = { account: DEFAULT_ACCOUNT, redis, queue, keys, replicas: noReplicas(redis, keys) };
    const overview = new Overview(access, config);
    const app = createServer({
      notReady: () => [],
      access,
      overview,
      poller: new Poller(overview),
      assets: new Map(),
      setup: { account: DEFAULT_ACCOUNT, version: '0', readOnly: false },
      passwordDoor: undefined,
      registry: new Registry(),
      logger: createLogger('silent', 'dashboard'),
      timeouts: { requestMs: 200, checkMs: 50 },
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const body = 'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"half":';
    const own = 'x-association-queue: 1\r\nsec-fetch-site: same-origin\r\n';
    const sockets: Socket[] = [];
    try {
      const closed = [
        '',
        'POST /api/pause HTTP/1.1\r\nhost: localhost\r\n',
        `POST /api/pause HTTP/1.1\r\nhost: localhost\r\n${own}${body}`,
        `PUT ${BOARD}/pause HTTP/1.1\r\nhost: localhost\r\n${own}${body}`,
        `POST /api/pause HTTP/1.1\r\nhost: evil.example\r\n${body}`,
        `GET /healthz HTTP/1.1\r\nhost: localhost\r\n${body}`,
        `GET /nowhere HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab`,
      ].map(async text => {
        const socket = connect(port, '127.0.0.1').on('error', () => {});
        sockets.push(socket);
        socket.resume().write(text);
        await once(socket, 'close');
        return text;
      });
      await Promise.all(closed);
      await eventually(async () => {
        const open = await new Promise<number>((resolve, reject) =>
          app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
        );
        expect(open).toBe(0);
      });
      expect(await rig.queue.isPaused()).toBe(false);
    } finally {
      for (const socket of sockets) socket.destroy();
      await app.close();
    }
  });
});
