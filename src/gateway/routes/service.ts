/** Routes about the gateway itself: description, health, metrics. They need no key. */
import type { RouteOptions } from 'fastify';
import { type Static, Type } from '../../shared/contract/typebox.js';
import type { Outcomes } from '../../shared/state/outcomes.js';
import type { GatewayMetrics } from '../gateway-metrics.js';
import type { Requests } from '../requests/note.js';
import { TAGS } from './openapi.js';

export type ServiceRouteParts = {
  readonly requests: Pick<Requests, 'refusal'>;
  readonly outcomes: Pick<Outcomes, 'isReady'>;
  readonly metrics: GatewayMetrics;
  readonly stopping: AbortSignal;
  /** available once all routes are registered */
  readonly description: () => object;
};

const HealthSchema = Type.Object({ status: Type.Literal('ok') });
const ReadinessSchema = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('not ready')]),
  reasons: Type.Array(Type.String(), { description: 'why it is not ready' }),
});
type Readiness = Static<typeof ReadinessSchema>;

export function serviceRoutes(parts: ServiceRouteParts): RouteOptions[] {
  const { metrics, description } = parts;
  return [
    {
      ...get('/openapi.json', 'getOpenApi', 'This description', {
        200: described('An OpenAPI 3.1 document', Type.Object({})),
      }),
      handler: async () => description(),
    },
    {
      ...get('/', 'getRoot', 'Leads to the page for people', { 302: described('To /docs/') }, 'text/html'),
      handler: async (_request, reply) => reply.redirect('/docs/'),
    },
    {
      ...get('/healthz', 'getHealth', 'The process lives', { 200: described('It does', HealthSchema) }),
      handler: async (): Promise<Static<typeof HealthSchema>> => ({ status: 'ok' }),
    },
    {
      ...get('/readyz', 'getReadiness', 'It can accept requests (503 when not)', {
        200: described('It can', ReadinessSchema),
        503: described('It cannot', ReadinessSchema),
      }),
      handler: async (_request, reply) => {
        const readiness = await readinessOf(parts);
        return reply.code(readiness.reasons.length === 0 ? 200 : 503).send(readiness);
      },
    },
    {
      ...get('/metrics', 'getMetrics', 'Figures for Prometheus', { 200: described('Text') }, 'text/plain'),
      handler: async (_request, reply) =>
        reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
    },
  ];
}

async function readinessOf({ requests, outcomes, stopping }: ServiceRouteParts): Promise<Readiness> {
  const refusal = await requests.refusal();
  const reasons = [
    ...(stopping.aborted ? ['the gateway is ending'] : []),
    ...(refusal === undefined ? [] : [refusal]),
    ...(outcomes.isReady || refusal !== undefined ? [] : ['Redis is away: no outcomes are heard']),
  ];
  return { status: reasons.length === 0 ? 'ready' : 'not ready', reasons };
}

const get = (
  url: string,
  operationId: string,
  summary: string,
  response: object,
  produces = 'application/json',
) => ({
  method: 'GET',
  url,
  schema: { operationId, tags: [TAGS.service], summary, security: [], produces: [produces], response },
});

const described = (description: string, schema: object = Type.String()) => ({
  ...schema,
  'x-response-description': description,
});
