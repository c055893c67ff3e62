/**
 * HTTP server of the dashboard: every request passes the guard, then one small route. The routes of rejections, requests
 * and the search are in files of their own.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { Unconfirmed } from '../../shared/runtime/replicas.js';
import type { QueueAccess } from '../connection.js';
import type { Overview } from '../overview/overview.js';
import { pauseQueue, resumeQueue } from '../pause.js';
import type { Setup } from '../view.js';
import type { Asset } from './assets.js';
import { BOARD_POLICY, registerBoard } from './board.js';
import { EventStream } from './event-stream.js';
import { type Door, hostRefusal, refusalOf } from './guard.js';
import { OPERATOR } from './operator.js';
import type { PasswordDoor } from './password-door.js';
import type { Poller } from './poller.js';
import { registerRejections } from './rejection-routes.js';
import { registerRequests } from './request-routes.js';
import { registerSearch } from './search-route.js';

export type ServerParts = {
  readonly access: QueueAccess;
  readonly overview: Overview;
  readonly poller: Poller;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly setup: Setup;
  /** undefined: everybody who reaches the loopback address may enter */
  readonly passwordDoor: PasswordDoor | undefined;
  readonly registry: Registry;
  /** reasons why the dashboard cannot work; empty if it can */
  readonly notReady: () => readonly string[];
  readonly logger: Logger;
  /** for tests */
  readonly timeouts?: typeof TIMEOUTS;
};

declare module 'fastify' {
  interface FastifyContextConfig {
    /** the route's kind for the guard; default: inside */
    door?: Door;
    /** a route of Bull Board */
    board?: boolean;
  }
}

/** Only our scripts, no inline script or style, no other site, no frame. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** A request must arrive within this time, because no body here is long. Otherwise 408, and the connection is closed. */
const TIMEOUTS = { requestMs: 10_000, checkMs: 2_000 };
const REQUEST_PAGE = '/assets/page/request.html';
const HEALTH = { config: { door: 'health' } } as const;
const PAGE = { config: { door: 'page' } } as const;

export function createServer(parts: ServerParts): FastifyInstance {
  const { access, overview, poller, assets, setup, passwordDoor, registry, notReady, logger } = parts;
  const { requestMs, checkMs } = parts.timeouts ?? TIMEOUTS;
  const app = Fastify({
    bodyLimit: 1_048_576,
    forceCloseConnections: true,
    requestTimeout: requestMs,
    http: { headersTimeout: requestMs, connectionsCheckingInterval: checkMs },
  });

  app.addHook('onRequest', async (request, reply) => {
    const { door = 'inside', board = false } = request.routeOptions.config;
    reply.headers({
      'content-security-policy': board ? BOARD_POLICY : PAGE_POLICY,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    if (door === 'health') return;
    const { method, headers, ip } = request;
    const entry = passwordDoor
      ? passwordDoor.answer({ authorization: headers.authorization, cookies: headers.cookie, address: ip })
      : { refusal: hostRefusal(headers) };
    if ('headers' in entry) reply.headers(entry.headers);
    const refusal = entry.refusal ?? refusalOf({ method, door, board, headers }, setup.readOnly);
    if (refusal) return reply.code(refusal.status).send({ message: refusal.message });
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 503;
    if (status >= 500) logger.error({ event: 'request failed', error: messageOf(error) });
    // errors of Redis contain the command and its data
    const isTold = status < 500 || error instanceof Unconfirmed;
    const message = isTold ? error.message : 'Redis cannot be used at the moment';
    return reply.code(status).send({ message });
  });
  app.addHook('onResponse', async (request, reply) => {
    if (request.method !== 'GET' && reply.statusCode < 400)
      logger.info({
        event: 'operator',
        method: request.method,
        path: request.url.split('?', 1)[0],
        ...(request.body && !request.routeOptions.config.board ? { body: request.body } : {}),
        status: reply.statusCode,
      });
  });

  for (const [url, asset] of assets)
    app.get(url, url === '/' ? PAGE : {}, (request, reply) => sendAsset(asset, request, reply));
  const requestPage = assets.get(REQUEST_PAGE);
  if (requestPage) app.get('/requests/:id', PAGE, (request, reply) => sendAsset(requestPage, request, reply));
  app.get('/healthz', HEALTH, async () => ({ status: 'ok' }));
  app.get('/readyz', HEALTH, async (_request, reply) => {
    const reasons = notReady();
    const ready = reasons.length === 0;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reasons });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );

  app.get('/api/setup', async () => setup);
  app.get('/api/state', async () => ({ setup, ...(await poller.current()) }));
  app.get<{ Querystring: { range?: string } }>('/api/history', async request =>
    overview.history(request.query.range === 'day' ? 'day' : 'hour'),
  );
  app.get('/api/events', async (_request, reply) => {
    const stream = new EventStream(reply);
    stream.send('setup', JSON.stringify(setup));
    const end = poller.watch((part, json) => stream.send(part, json));
    stream.onClose(end);
  });

  registerSearch(app, access, logger);
  registerRejections(app, access, logger);
  registerRequests(app, access, overview, logger);
  app.post('/api/pause', async () => {
    await pauseQueue(access, OPERATOR);
    return { paused: true };
  });
  app.post('/api/resume', async () => {
    await resumeQueue(access);
    return { paused: false };
  });
  registerBoard(app, access.queue, setup.readOnly);
  // changes of failed jobs on the board appear in the groups at once
  app.addHook('onResponse', async request => {
    if (request.method !== 'GET' && request.routeOptions.config.board)
      await overview.sweep.round().catch(() => {});
  });
  return app;
}

function sendAsset(
  { type, etag, plain, gzip }: Asset,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.headers({ 'cache-control': 'no-cache', etag, vary: 'accept-encoding' });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (zipped) reply.header('content-encoding', 'gzip');
  return reply.type(type).send(zipped ? gzip : plain);
}
