/**
 * The HTTP server: limits of time and size, parsing, and every refusal in HubSpot's shape, whatever came in.
 * routes/ has the routes; requests/accept.ts handles a request.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from 'fastify';
import { messageOf } from '../shared/contract/errors.js';
import { isLoopbackHost } from '../shared/runtime/host.js';
import type { Logger } from '../shared/runtime/logger.js';
import { LARGE_BODY_BYTES } from './body/budget.js';
import { isNestedDeeper } from './body/depth.js';
import { bodyHolder } from './body/hold.js';
import { answerBroken, answerBrokenHttp } from './broken-http.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import { NOBODY } from './headers/bearer.js';
import { asRefusal, NOTHING_ENQUEUED, Refusal, refusalBody, unavailable, wrongHost } from './refusal.js';
import { type CreateRouteParts, createRoutes } from './routes/create.js';
import { docsOptions } from './routes/docs.js';
import { guardOf } from './routes/guarded.js';
import { namedBodies, openApiOptions } from './routes/openapi.js';
import { type RequestRouteParts, requestRoutes } from './routes/requests.js';
import { serviceRoutes } from './routes/service.js';

export type ServerParts = CreateRouteParts &
  RequestRouteParts & {
    readonly apiKeys: readonly string[];
    readonly metrics: GatewayMetrics;
    readonly version: string;
    readonly logger: Logger;
    /** for tests */
    readonly timeouts?: typeof TIMEOUTS;
  };

const MIN_BODY_BYTES = 1_048_576;
const BODY_BYTES_PER_INPUT = 512;
/**
 * Slower requests get 408 and their connections are closed. A large body has less time, from the start of its turn, because
 * others wait for it.
 */
const TIMEOUTS = { requestMs: 120_000, largeBodyMs: 30_000 };
const HEADERS_MS = 30_000;
/** Deepest nesting of large bodies; HubSpot's format has 6 levels. */
const MAX_DEPTH = 100;
/** Interval of the check for slow requests. */
const CHECK_MS = 15_000;

export function createServer(parts: ServerParts): FastifyInstance {
  const { timeouts = TIMEOUTS } = parts;
  const bodyLimit = Math.max(MIN_BODY_BYTES, parts.maxInputs * BODY_BYTES_PER_INPUT);
  const refuse = refuserOf(parts.logger);
  const app = Fastify({
    bodyLimit,
    requestTimeout: timeouts.requestMs,
    http: {
      headersTimeout: Math.min(HEADERS_MS, timeouts.requestMs),
      connectionsCheckingInterval: Math.min(CHECK_MS, timeouts.requestMs / 2),
    },
    genReqId: () => randomUUID(),
    return503OnClosing: false, // our 503 has HubSpot's shape
    routerOptions: { maxParamLength: 500 },
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
    clientErrorHandler: answerBrokenHttp,
  });
  // Node's 417 has no body
  app.server.on('checkExpectation', (request: IncomingMessage) => answerBroken(request.socket, 400));
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(error, request, reply));
  parseJsonOnly(app);
  addHooks(app, parts);

  const guard = guardOf(parts.apiKeys);
  const routes = [
    ...createRoutes(parts, guard, bodyHolder(bodyLimit, timeouts.largeBodyMs)),
    ...requestRoutes(parts, guard),
    ...serviceRoutes({ ...parts, description: () => app.swagger() }),
  ];
  refuseUnknownRoutes(app, routes, parts.stopping);
  addRoutes(app, routes, parts);
  return app;
}

/**
 * The routes' schemas are only documentation, and fastify does not see them. inputs/ validates requests, with HubSpot's
 * words and all faults by their indexes. fastify's steps for validators that accept everything would be 4 to 10 % of the
 * CPU time of a small request.
 */
function addRoutes(
  app: FastifyInstance,
  routes: readonly RouteOptions[],
  { version, apiKeys, maxInputs }: ServerParts,
): void {
  for (const body of namedBodies(maxInputs)) app.addSchema(body);
  app.register(swagger, openApiOptions(version, apiKeys.length > 0));
  app.register(swaggerUi, docsOptions());
  // after @fastify/swagger, which sees only the routes that are added later
  app.register(async routed => {
    for (const { schema, ...route } of routes)
      routed.route({ ...route, config: { ...route.config, described: schema } });
  });
}

const refuserOf =
  (logger: Logger) =>
  (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    let refusal = error instanceof Refusal ? error : asRefusal(error as FastifyError);
    if (!refusal) {
      logger.error({ event: 'internal', correlationId: request.id, error: messageOf(error) });
      refusal = new Refusal(500, 'Something went wrong in the gateway');
    }
    if (refusal.status === 503) logger.warn({ event: 'refused', correlationId: request.id }, refusal.message);
    return reply
      .code(refusal.status)
      .headers(refusal.headers)
      .type('application/json; charset=utf-8')
      .send(refusalBody(refusal, request.id));
  };

/** Accepts only JSON bodies; fastify also accepts text/plain by default. */
function parseJsonOnly(app: FastifyInstance): void {
  app.removeContentTypeParser(['text/plain', 'application/json']);
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length > LARGE_BODY_BYTES && isNestedDeeper(body, MAX_DEPTH))
      return done(new Refusal(400, 'Invalid input JSON', [{ message: 'it is nested too deep', in: 'body' }]));
    // many clients send the header with every request
    if (body === '' && request.method === 'DELETE') return done(null, undefined);
    // the result comes through the callback
    void parseJson(request, body, done);
  });
}

/** Hooks use callbacks: a promise for each hook is a tenth of the cost of a small request. */
function addHooks(app: FastifyInstance, { apiKeys, stopping, metrics }: ServerParts): void {
  app.decorateRequest('caller', NOBODY);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-correlation-id', request.id);
    // a proxy must not store one caller's answer
    reply.header('cache-control', 'no-store');
    if (apiKeys.length === 0 && !isLoopbackHost(request.headers.host ?? '')) return done(wrongHost());
    if (!stopping.aborted) return done();
    reply.header('connection', 'close');
    done(
      request.routeOptions.config.guarded
        ? unavailable(`The gateway is ending; ${NOTHING_ENQUEUED}`, 5)
        : undefined,
    );
  });
  app.addHook('onResponse', (request, reply, done) => {
    metrics.request(request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime);
    done();
  });
}

/** 404, or 405 with the methods that the path allows. */
function refuseUnknownRoutes(
  app: FastifyInstance,
  routes: readonly RouteOptions[],
  stopping: AbortSignal,
): void {
  const methods = routes.map(({ url, method }) => ({
    pattern: new RegExp(`^${url.replaceAll('.', '\\.').replace(/:\w+/g, '[^/]+')}$`),
    method: String(method),
  }));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = methods
      .filter(({ pattern }) => pattern.test(path))
      .map(({ method }) => method)
      .join(', ');
    if (allowed === '') throw new Refusal(404, 'There is nothing at this path: see /docs');
    if (stopping.aborted) reply.header('connection', 'close');
    throw new Refusal(405, `This path takes ${allowed} only`, [], { allow: allowed });
  });
}
