/**
 * POST …/batch/create, HubSpot's own call: its schemas, and its headers → one call of requests/accept.ts.
 * The schema does not validate the body: inputs/ does, with HubSpot's words.
 */
import type { FastifyReply, onRequestHookHandler, preParsingHookHandler, RouteOptions } from 'fastify';
import type { TypesOf } from '../../labels/type-resolver.js';
import { API_VERSIONS, associationsPath } from '../../shared/contract/api-versions.js';
import { type Static, Type } from '../../shared/contract/typebox.js';
import { warningsHeader } from '../answers.js';
import { readIdempotencyKey } from '../headers/idempotency-key.js';
import { parsePrefer, preferenceApplied } from '../headers/prefer.js';
import { readPriority } from '../headers/priority.js';
import { readRequestName } from '../headers/request-name.js';
import { readInputs, refuseFieldsBesideInputs } from '../inputs/inputs.js';
import { compressed } from '../refusal.js';
import type { TraceRequest } from '../request-tracing.js';
import { type CreateParts, create } from '../requests/accept.js';
import { CREATED_EXAMPLES, PARTIAL_EXAMPLES, PENDING_EXAMPLES } from './examples.js';
import { type Guard, WWW_AUTHENTICATE } from './guarded.js';
import { answers, bodyNamed, RETRY_AFTER, refuses, TAGS, textHeader } from './openapi.js';

export type CreateRouteParts = CreateParts & {
  readonly maxInputs: number;
  readonly typesOf: TypesOf;
  /** called with warnings about types that look wrong, for each accepted request */
  readonly onWarning: (warning: string) => void;
  /** aborted when the process ends: waiting requests are then answered */
  readonly stopping: AbortSignal;
  readonly trace: TraceRequest;
};

export const CREATE_PATHS = API_VERSIONS.map(
  version => `${associationsPath(version)}/:fromObjectType/:toObjectType/batch/create`,
);

const PathSchema = Type.Object({
  fromObjectType: Type.String({ description: 'such as contacts, 0-1 or 2-1234', examples: ['contacts'] }),
  toObjectType: Type.String({ description: 'such as companies, 0-2 or 2-1234', examples: ['companies'] }),
});
type Path = Static<typeof PathSchema>;

const header = (description: string) => Type.Optional(Type.String({ description }));
const HeadersSchema = Type.Object({
  Prefer: header(
    'wait=N: waits up to N seconds (at most 60) and answers as HubSpot would. respond-async: 202 instead of 201 while it is pending.',
  ),
  'Idempotency-Key': header(
    'any text of up to 255 characters: the same key within 24 hours enqueues once and answers the same request id. It is compared with the associations, not with the other headers.',
  ),
  'X-Request-Name': header(
    'a name of up to 200 characters, under which people find the request; GET /requests lists it. A value that is not ASCII is UTF-8 or URI-encoded. A repeat under an Idempotency-Key keeps the first name.',
  ),
  'X-Priority': header(
    'high: rides in the next calls to HubSpot, before everything that waits. normal (the default). Anything else is refused.',
  ),
});

const ACCEPTED = {
  location: textHeader('where the counts are: /requests/{id}'),
  'preference-applied': textHeader('the part of Prefer that was applied'),
  'x-association-warnings': textHeader(
    'types that look wrong for the object pair, and are enqueued; at most five',
  ),
};
const RESPONSES = {
  201: answers('Enqueued (PENDING), or, with Prefer: wait, all created (COMPLETE)', 'Answer', {
    examples: CREATED_EXAMPLES,
    headers: ACCEPTED,
  }),
  202: answers('Enqueued (Prefer: respond-async)', 'Answer', {
    examples: PENDING_EXAMPLES,
    headers: ACCEPTED,
  }),
  207: answers('With Prefer: wait: some were rejected, for the reasons in errors', 'Answer', {
    examples: PARTIAL_EXAMPLES,
    headers: ACCEPTED,
  }),
  400: refuses(
    'Bad inputs, each named by its index (an unknown label with those that are known); or no JSON',
  ),
  401: refuses('No bearer key, or not one of GATEWAY_API_KEYS', WWW_AUTHENTICATE),
  413: refuses('Too many inputs, or too large a body'),
  415: refuses('Not application/json'),
  422: refuses('The Idempotency-Key was used for other associations'),
  429: refuses('Too many associations are queued', RETRY_AFTER),
  503: refuses(
    'Redis is away, HubSpot cannot be asked for a label, or the gateway is ending; the message says whether nothing was enqueued or that it is not known',
    RETRY_AFTER,
  ),
};

/** @param holdBody counts the body as it arrives */
export function createRoutes(
  parts: CreateRouteParts,
  guard: Guard,
  holdBody: preParsingHookHandler,
): RouteOptions[] {
  return CREATE_PATHS.map(url => ({
    method: 'POST',
    url,
    schema: {
      operationId: `createAssociations_${versionOf(url)}`,
      tags: [TAGS.associations],
      summary: 'Enqueues associations',
      description:
        "HubSpot's own call. All inputs are durable in Redis before the answer; of a refused request nothing is enqueued. An input may name a label instead of types, or leave both out. Types that look wrong for the object pair are enqueued, and named in the header x-association-warnings.",
      security: guard.security,
      params: PathSchema,
      headers: HeadersSchema,
      body: bodyNamed('Request'),
      response: RESPONSES,
    },
    config: { guarded: true },
    onRequest: [guard.identify, uncompressed],
    preParsing: holdBody,
    handler: handlerOf(parts, url),
  }));
}

const handlerOf =
  (parts: CreateRouteParts, url: string): RouteOptions['handler'] =>
  async (request, reply) => {
    const { stopping } = parts;
    const preference = parsePrefer(request.headers.prefer);
    const idempotencyKey = readIdempotencyKey(request.headers['idempotency-key']);
    const priority = readPriority(request.headers['x-priority']);
    const { fromObjectType, toObjectType } = request.params as Path;
    const name = readRequestName(request.headers['x-request-name']);
    refuseFieldsBesideInputs(request.query as object);
    const read = await readInputs(fromObjectType, toObjectType, request.body, parts);
    // its jobs have a quarter of the size of the parsed body, and the request may wait for them
    request.body = undefined;
    const { status, answer } = await parts.trace(url, request.headers, () =>
      create(parts, {
        ...{ read, idempotencyKey, caller: request.caller, name, priority, preference },
        signal: () => AbortSignal.any([closeOf(reply), stopping]),
      }),
    );
    const applied = preferenceApplied(preference);
    if (applied) reply.header('preference-applied', applied);
    reply.header('location', answer.links.status);
    read.warnings.forEach(parts.onWarning);
    const warned = warningsHeader(read.warnings);
    if (warned) reply.header('x-association-warnings', warned);
    if (stopping.aborted) reply.header('connection', 'close');
    return reply.code(status).send(answer);
  };

const uncompressed: onRequestHookHandler = (request, _reply, done) => {
  const coding = request.headers['content-encoding'] ?? 'identity';
  done(/^identity$/i.test(coding) ? undefined : compressed(coding));
};

function closeOf(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  reply.raw.once('close', () => closed.abort());
  return closed.signal;
}

/** @returns v4, or the date */
const versionOf = (path: string): string => (path.match(/v4|\d{4}-\d{2}/)?.[0] ?? '').replace('-', '_');
