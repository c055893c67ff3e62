/** GET /requests, GET and DELETE /requests/{id}: what became of a caller's requests, and how to take one back. */
import type { RouteOptions } from 'fastify';
import { type Static, Type } from '../../shared/contract/typebox.js';
import { REQUEST_STATES } from '../../shared/state/requests.js';
import { Refusal } from '../refusal.js';
import { type Cancels, cancelOwn } from '../requests/cancel.js';
import type { Requests } from '../requests/note.js';
import { forCaller, readStatus } from '../requests/status.js';
import type { List } from '../schemas.js';
import { CANCELLED_EXAMPLES, CANCELLING_EXAMPLES, LIST_EXAMPLES, STATUS_EXAMPLES } from './examples.js';
import { type Guard, WWW_AUTHENTICATE } from './guarded.js';
import { MAX_LIMIT, readListQuery } from './list-query.js';
import { answers, RETRY_AFTER, refuses, TAGS } from './openapi.js';

export type RequestRouteParts = { readonly requests: Requests; readonly cancels: Cancels };

const PathSchema = Type.Object({ id: Type.String({ description: 'as in links.status of the answer' }) });
type Path = Static<typeof PathSchema>;
const param = (description: string) => Type.Optional(Type.String({ description }));
const QuerySchema = Type.Object({
  state: param(`only requests in this state: ${REQUEST_STATES.join(', ')}`),
  after: param('the `after` of the page before'),
  limit: param(`most requests of a page, from 1 to ${MAX_LIMIT}; without it 50`),
});

/** Records that one call reads at most, so that a caller with few requests among many does not keep Redis busy. */
const MOST_READS = 1_000;

export const requestRoutes = (parts: RequestRouteParts, guard: Guard): RouteOptions[] => [
  listRoute(parts, guard),
  statusRoute(parts, guard),
  cancelRoute(parts, guard),
];

const listRoute = ({ requests }: RequestRouteParts, guard: Guard): RouteOptions => ({
  method: 'GET',
  url: '/requests',
  schema: {
    operationId: 'listRequests',
    tags: [TAGS.requests],
    summary: 'The requests of this key',
    description:
      'The newest first. Listed are requests with a name and those of more than one job (more than 500 inputs, or several kinds of types); others are found by their id.',
    security: guard.security,
    querystring: QuerySchema,
    response: {
      200: answers('A page of requests', 'List', { examples: LIST_EXAMPLES }),
      400: refuses('A parameter is wrong; each is named'),
      401: refuses('No bearer key, or not one of GATEWAY_API_KEYS', WWW_AUTHENTICATE),
      503: refuses('Redis is away', RETRY_AFTER),
    },
  },
  config: { guarded: true },
  onRequest: guard.identify,
  handler: async ({ query, caller }, reply) => {
    const asked = readListQuery(query as Record<string, unknown>);
    const page = await requests.found.list({ ...asked, owner: caller, reads: MOST_READS });
    return reply.send({ ...page, requests: page.requests.map(forCaller) } satisfies List);
  },
});

const statusRoute = ({ requests }: RequestRouteParts, guard: Guard): RouteOptions => ({
  method: 'GET',
  url: '/requests/:id',
  schema: {
    operationId: 'getRequest',
    tags: [TAGS.requests],
    summary: 'What became of a request',
    description:
      'A request with a name or of more than one job is kept for REQUEST_RETENTION_DAYS after its end, any other for a day.',
    security: guard.security,
    params: PathSchema,
    response: {
      200: answers('Counts by outcome, and errors', 'Status', { examples: STATUS_EXAMPLES }),
      401: refuses('No bearer key, or not one of GATEWAY_API_KEYS', WWW_AUTHENTICATE),
      404: refuses('This key has sent no such request, or it is no longer known'),
      503: refuses('Redis is away', RETRY_AFTER),
    },
  },
  config: { guarded: true },
  onRequest: guard.identify,
  handler: async ({ params, caller }, reply) => {
    const status = await readStatus(requests.found, (params as Path).id, caller);
    if (!status) throw noSuchRequest();
    return reply.send(status);
  },
});

const cancelRoute = ({ requests, cancels }: RequestRouteParts, guard: Guard): RouteOptions => ({
  method: 'DELETE',
  url: '/requests/:id',
  schema: {
    operationId: 'cancelRequest',
    tags: [TAGS.requests],
    summary: 'Takes back what is still queued of a request',
    description:
      'What is created, rejected or in a call to HubSpot stays. A repeat changes nothing and answers the counts. The request stays readable, as CANCELED.',
    security: guard.security,
    params: PathSchema,
    response: {
      200: answers('Nothing of it is queued any more', 'Cancelled', { examples: CANCELLED_EXAMPLES }),
      202: answers(
        'It takes longer and goes on: calls to HubSpot are in flight, or the queue is long',
        'Cancelled',
        { examples: CANCELLING_EXAMPLES },
      ),
      401: refuses('No bearer key, or not one of GATEWAY_API_KEYS', WWW_AUTHENTICATE),
      404: refuses('This key has sent no such request, or it is no longer known'),
      409: refuses('The request shares its job with others, as single associations of one moment do'),
      503: refuses('Redis is away; a cancel that has begun is finished by workers', RETRY_AFTER),
    },
  },
  config: { guarded: true },
  onRequest: guard.identify,
  handler: async ({ params, caller }, reply) => {
    const cancelled = await cancelOwn(requests.found, cancels, (params as Path).id, caller);
    if (!cancelled) throw noSuchRequest();
    return reply.code(cancelled.queued > 0 ? 202 : 200).send(cancelled);
  },
});

const noSuchRequest = (): Refusal =>
  new Refusal(404, 'This key has no such request, or it is no longer known');
