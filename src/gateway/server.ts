/**
 * The HTTP face: routes, and every refusal in HubSpot's shape, whatever came in.
 * What a request means is requests/accept.ts; fastify parses, routes and ends connections.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type onRequestHookHandler,
} from 'fastify';
import type { TypesOf } from '../labels/type-resolver.js';
import { messageOf } from '../shared/contract/errors.js';
import { isLoopbackHost } from '../shared/runtime/host.js';
import type { Logger } from '../shared/runtime/logger.js';
import { warningsHeader } from './answers.js';
import { LARGE_BODY_BYTES } from './body/budget.js';
import { isNestedDeeper } from './body/depth.js';
import { bodyHolder } from './body/hold.js';
import { answerBroken, answerBrokenHttp } from './broken-http.js';
import { type Caller, createGuard, NOBODY } from './headers/bearer.js';
import { parsePrefer, preferenceApplied } from './headers/prefer.js';
import { readPriority } from './headers/priority.js';
import { readInputs, refuseFieldsBesideInputs } from './inputs/inputs.js';
import type { GatewayMetrics } from './metrics.js';
import {
  asRefusal,
  compressed,
  NOTHING_ENQUEUED,
  Refusal,
  refusalBody,
  unavailable,
  wrongHost,
} from './refusal.js';
import { type CreateParts, create } from './requests/accept.js';
import { readStatus } from './requests/status.js';
import { docsPage } from './routes/docs-page.js';
import { CREATE_PATHS, openApi } from './routes/openapi.js';
import type { TraceRequest } from './tracing.js';

export type ServerParts = CreateParts & {
  readonly maxInputs: number;
  readonly typesOf: TypesOf;
  /** told of types that look wrong, of each accepted request */
  readonly onWarning: (warning: string) => void;
  readonly apiKeys: readonly string[];
  readonly metrics: GatewayMetrics;
  readonly version: string;
  /** aborted when the process is asked to end: new requests are refused, whoever waits is answered */
  readonly stopping: AbortSignal;
  readonly trace: TraceRequest;
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
  const { requests, outcomes, metrics, stopping, logger, timeouts = TIMEOUTS } = parts;
  const callerOf = createGuard(parts.apiKeys);
  const description = openApi(parts.version, parts.maxInputs, parts.apiKeys.length > 0);
  const page = docsPage(description);
  const bodyLimit = Math.max(MIN_BODY_BYTES, parts.maxInputs * BODY_BYTES_PER_INPUT);
  const preParsing = bodyHolder(bodyLimit, timeouts.largeBodyMs);

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

  function refuse(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
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
  }
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = allowedMethod(path);
    if (allowed === undefined) throw new Refusal(404, 'There is nothing at this path: see /docs');
    if (stopping.aborted) reply.header('connection', 'close');
    throw new Refusal(405, `This path takes ${allowed} only`, [], { allow: allowed });
  });

  // Node's own 417 has no body
  app.server.on('checkExpectation', (request: IncomingMessage) => answerBroken(request.socket, 400));
  // Only JSON is a body here; text/plain is fastify's other default.
  app.removeContentTypeParser(['text/plain', 'application/json']);
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length > LARGE_BODY_BYTES && isNestedDeeper(body, MAX_DEPTH))
      return done(new Refusal(400, 'Invalid input JSON', [{ message: 'it is nested too deep', in: 'body' }]));
    // it answers by the callback
    void parseJson(request, body, done);
  });
  // Hooks with a callback: a promise for each of them is a tenth of what a small request costs.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-correlation-id', request.id);
    // what is one key's is no proxy's to keep
    reply.header('cache-control', 'no-store');
    if (parts.apiKeys.length === 0 && !isLoopbackHost(request.headers.host ?? '')) return done(wrongHost());
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
  app.decorateRequest('caller', NOBODY);
  const onRequest: onRequestHookHandler = (request, _reply, done) => {
    const caller = callerOf(request.headers.authorization);
    if (caller === undefined) return done(unknownKey());
    request.caller = caller;
    done();
  };
  const plainBody: onRequestHookHandler = (request, _reply, done) => {
    const coding = request.headers['content-encoding'] ?? 'identity';
    done(/^identity$/i.test(coding) ? undefined : compressed(coding));
  };
  const guarded = { onRequest, config: { guarded: true } };

  for (const path of CREATE_PATHS)
    app.post<{ Params: { fromObjectType: string; toObjectType: string } }>(
      path,
      { ...guarded, onRequest: [onRequest, plainBody], preParsing },
      async (request, reply) => {
        const preference = parsePrefer(request.headers.prefer);
        const key = readIdempotencyKey(request.headers['idempotency-key']);
        const priority = readPriority(request.headers['x-priority']);
        const { fromObjectType, toObjectType } = request.params;
        refuseFieldsBesideInputs(request.query as object);
        const read = await readInputs(fromObjectType, toObjectType, request.body, parts);
        // its jobs are a quarter of the size of the tree, and may be waited for
        request.body = undefined;
        const { status, answer } = await parts.trace(path, request.headers, () =>
          create(parts, {
            read,
            idempotencyKey: key,
            caller: request.caller,
            priority,
            preference,
            signal: () => AbortSignal.any([closeOf(reply), stopping]),
          }),
        );
        const applied = preferenceApplied(preference);
        if (applied) reply.header('preference-applied', applied);
        read.warnings.forEach(parts.onWarning);
        const warned = warningsHeader(read.warnings);
        if (warned) reply.header('x-association-warnings', warned);
        if (stopping.aborted) reply.header('connection', 'close');
        return reply.code(status).send(answer);
      },
    );

  app.get<{ Params: { id: string } }>('/requests/:id', guarded, async (request, reply) => {
    const status = await readStatus(requests, request.params.id, request.caller);
    if (!status) throw new Refusal(404, 'This key has no such request, or it is no longer known');
    return reply.send(status);
  });

  app.get('/openapi.json', async () => description);
  app.get('/docs', async (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const refusal = await requests.refusal();
    const reasons = [
      ...(stopping.aborted ? ['the gateway is ending'] : []),
      ...(refusal === undefined ? [] : [refusal]),
      ...(outcomes.isReady || refusal !== undefined ? [] : ['Redis is away: no outcomes are heard']),
    ];
    if (reasons.length > 0) reply.code(503);
    return { status: reasons.length === 0 ? 'ready' : 'not ready', reasons };
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  return app;
}

const unknownKey = (): Refusal =>
  new Refusal(
    401,
    'A bearer key of this gateway is needed',
    [{ message: 'no such key', in: 'authorization' }],
    { 'www-authenticate': 'Bearer' },
  );

function closeOf(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  reply.raw.once('close', () => closed.abort());
  return closed.signal;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** who sent it, on guarded routes */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** needs a key, and is refused while the gateway ends */
    guarded?: boolean;
  }
}

const ROUTES: readonly (readonly [pattern: RegExp, method: string])[] = [
  ...CREATE_PATHS.map(path => [new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`), 'POST'] as const),
  [/^\/requests\/[^/]+$/, 'GET'],
  [/^\/(openapi\.json|docs|healthz|readyz|metrics)$/, 'GET'],
];
const allowedMethod = (path: string): string | undefined =>
  ROUTES.find(([pattern]) => pattern.test(path))?.[1];

function readIdempotencyKey(given: string | string[] | undefined): string | undefined {
  if (given === undefined) return undefined;
  const key = String(given);
  if (key.length >= 1 && key.length <= 255) return key;
  throw new Refusal(400, 'The Idempotency-Key must have 1 to 255 characters', [
    { message: `it has ${key.length}`, in: 'Idempotency-Key' },
  ]);
}
