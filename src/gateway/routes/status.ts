/** GET /requests/{id}. */
import type { RouteOptions } from 'fastify';
import { type Static, Type } from 'typebox';
import { Refusal } from '../refusal.js';
import type { Requests } from '../requests/note.js';
import { readStatus } from '../requests/status.js';
import type { Guard } from './guarded.js';
import { answers, refuses } from './openapi.js';

const PathSchema = Type.Object({ id: Type.String({ description: 'as in links.status of the answer' }) });

export const statusRoute = (requests: Requests, guard: Guard): RouteOptions => ({
  method: 'GET',
  url: '/requests/:id',
  schema: {
    operationId: 'getRequest',
    summary: 'What became of a request',
    description: 'Kept for a week; once it is complete, for a day.',
    security: guard.security,
    params: PathSchema,
    response: {
      200: answers('Counts by outcome, and errors', 'Status'),
      401: refuses('No bearer key, or not one of GATEWAY_API_KEYS'),
      404: refuses('This key has sent no such request, or it is no longer known'),
      503: refuses('Redis is away'),
    },
  },
  config: { guarded: true },
  onRequest: guard.identify,
  handler: async (request, reply) => {
    const { id } = request.params as Static<typeof PathSchema>;
    const status = await readStatus(requests, id, request.caller);
    if (!status) throw new Refusal(404, 'This key has no such request, or it is no longer known');
    return reply.send(status);
  },
});
