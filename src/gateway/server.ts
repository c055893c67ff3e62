/**
 * The HTTP server: limits of time and size, parsing, and every refusal in HubSpot's shape, whatever came in.
 * What a route takes and does is in routes/; what a request means is requests/accept.ts.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import swagger from '@fastify/swagger';
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
import { NOBODY } from './headers/bearer.js';
import type { GatewayMetrics } from './metrics.js';
import { asRefusal, NOTHING_ENQUEUED, Refusal, refusalBody, unavailable, wrongHost } from './refusal.js';
import { type CreateRouteParts, createRoutes } from './routes/create.js';
import { guardOf } from './routes/guarded.js';
import { namedBodies, type OpenApi, openApiOptions } from './routes/openapi.js';
import { serviceRoutes } from './routes/service.js';
import { statusRoute } from './routes/status.js';

export type ServerParts = CreateRouteParts & {
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
 * Slower requests are answered with 408 and their connections closed. A large body has less time, from its turn on:
 * others wait for it.
 */
const TIMEOUTS = { requestMs: 120_000, largeBodyMs: 30_000 };
const HEADERS_MS = 30_000;
/** Of large bodies; HubSpot's is 6 deep. */
const MAX_DEPTH = 100;
/** How late who is too slow may be found out. */
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
    return503OnClosing: false, // ours has HubSpot's shape
    routerOptions: { maxParamLength: 500 },
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void refuse(error, request, reply),
    clientErrorHandler: answerBrokenHttp,
  });
  // Node's own 417 has no body
  app.server.on('checkExpectation', (request: IncomingMessage) => answerBroken(request.socket, 400));
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(error, request, reply));
  parseJsonOnly(app);
  addHooks(app, parts);

  const guard = guardOf(parts.apiKeys);
  const routes = [
    ...createRoutes(parts, guard, bodyHolder(bodyLimit, timeouts.largeBodyMs)),
    statusRoute(parts.requests, guard),
    ...serviceRoutes({ ...parts, description: () => app.swagger() as unknown as OpenApi }),
  ];
  refuseUnknownRoutes(app, routes, parts.stopping);
  describeRoutes(app, parts);
  // after @fastify/swagger, which must see them come
  app.register(async routed => {
    for (const route of routes) routed.route(route);
  });
  return app;
}

/**
 * The routes' schemas are there to be read. What is wrong with a request is said in HubSpot's words, with all faults by
 * their indexes, by inputs/; and answers are built in the shape of their schemas, so that plain JSON is what they become.
 */
function describeRoutes(app: FastifyInstance, { version, apiKeys, maxInputs }: ServerParts): void {
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => answer => JSON.stringify(answer));
  for (const body of namedBodies(maxInputs)) app.addSchema(body);
  app.register(swagger, openApiOptions(version, apiKeys.length > 0));
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

/** Only JSON is a body here; text/plain is fastify's other default. */
function parseJsonOnly(app: FastifyInstance): void {
  app.removeContentTypeParser(['text/plain', 'application/json']);
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length > LARGE_BODY_BYTES && isNestedDeeper(body, MAX_DEPTH))
      return done(new Refusal(400, 'Invalid input JSON', [{ message: 'it is nested too deep', in: 'body' }]));
    // it answers by the callback
    void parseJson(request, body, done);
  });
}

/** Hooks with a callback: a promise for each of them is a tenth of what a small request costs. */
function addHooks(app: FastifyInstance, { apiKeys, stopping, metrics }: ServerParts): void {
  app.decorateRequest('caller', NOBODY);
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-correlation-id', request.id);
    // what is one key's is no proxy's to keep
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

/** 404, or 405 with the method that a path takes: each takes one. */
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
    const allowed = methods.find(({ pattern }) => pattern.test(path))?.method;
    if (allowed === undefined) throw new Refusal(404, 'There is nothing at this path: see /docs');
    if (stopping.aborted) reply.header('connection', 'close');
    throw new Refusal(405, `This path takes ${allowed} only`, [], { allow: allowed });
  });
}
