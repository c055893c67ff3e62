/** /openapi.json, made of the schemas that the gateway itself uses. Pure. */
import { AnswerSchema, RefusalSchema, requestSchema, StatusSchema } from '../schemas.js';

export const CREATE_PATHS = [
  '/crm/v4/associations/:fromObjectType/:toObjectType/batch/create',
  ...['2025-09', '2026-03', '2026-09'].map(
    version => `/crm/associations/${version}/:fromObjectType/:toObjectType/batch/create`,
  ),
] as const;

export type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly object[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly description: string;
  }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
};
export type OpenApi = {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
};

const schemaRef = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const answered = (description: string, schema: object = schemaRef('Answer')) => ({
  description,
  content: { 'application/json': { schema } },
});
const refused = (description: string) => answered(description, schemaRef('Refusal'));
const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});
const inPath = (name: string, description: string) => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string' },
});

/** @param guarded whether bearer keys are asked for */
/** v4, or the date. */
const versionOf = (path: string): string => (path.match(/v4|\d{4}-\d{2}/)?.[0] ?? '').replace('-', '_');

export function openApi(version: string, maxInputs: number, guarded: boolean): OpenApi {
  const security = guarded ? [{ bearer: [] }] : [];
  const create: Omit<Operation, 'operationId'> = {
    summary: 'Enqueues associations',
    description:
      "HubSpot's own call. All inputs are durable in Redis before the answer; of a refused request nothing is enqueued. An input may name a label instead of types, or leave both out. Types that look wrong for the object pair are enqueued, and named in the header x-association-warnings.",
    security,
    parameters: [
      inPath('fromObjectType', 'such as contacts, 0-1 or 2-1234'),
      inPath('toObjectType', 'such as companies, 0-2 or 2-1234'),
      header(
        'Prefer',
        'wait=N: waits up to N seconds (at most 60) and answers as HubSpot would. respond-async: 202 instead of 201 while it is pending.',
      ),
      header(
        'Idempotency-Key',
        'any text of up to 255 characters: the same key within 24 hours enqueues once and answers the same request id.',
      ),
      header(
        'X-Priority',
        'high: rides in the next calls to HubSpot, before everything that waits. normal (the default). Anything else is refused.',
      ),
    ],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: schemaRef('Request') } },
    },
    responses: {
      201: answered('Enqueued (PENDING), or, with Prefer: wait, all created (COMPLETE)'),
      202: answered('Enqueued (Prefer: respond-async)'),
      207: answered('With Prefer: wait: some were rejected, for the reasons in errors'),
      400: refused(
        'Bad inputs, each named by its index (an unknown label with those that are known); or no JSON',
      ),
      401: refused('No bearer key, or not one of GATEWAY_API_KEYS'),
      413: refused('Too many inputs, or too large a body'),
      415: refused('Not application/json'),
      422: refused('The Idempotency-Key was used for other associations'),
      429: refused('Too many associations are queued; Retry-After says when to come back'),
      503: refused(
        'Redis is away, HubSpot cannot be asked for a label, or the gateway is ending; the message says whether nothing was enqueued or that it is not known, Retry-After when to come back',
      ),
    },
  };
  const machine = (operationId: string, summary: string): Operation => ({
    operationId,
    summary,
    security: [],
    parameters: [],
    responses: { 200: { description: 'as it says' } },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Association queue: gateway',
      version,
      description:
        "Takes HubSpot's batch/create calls of any size and creates the associations in the background, within HubSpot's limits, none lost.",
    },
    paths: {
      ...Object.fromEntries(
        CREATE_PATHS.map(path => [
          path.replace(/:(\w+)/g, '{$1}'),
          { post: { operationId: `createAssociations_${versionOf(path)}`, ...create } },
        ]),
      ),
      '/requests/{id}': {
        get: {
          operationId: 'getRequest',
          summary: 'What became of a request',
          description: 'Kept for a week; once it is complete, for a day.',
          security,
          parameters: [inPath('id', 'as in links.status of the answer')],
          responses: {
            200: answered('Counts by outcome, and errors', schemaRef('Status')),
            401: refused('No bearer key, or not one of GATEWAY_API_KEYS'),
            404: refused('This key has sent no such request, or it is no longer known'),
            503: refused('Redis is away'),
          },
        },
      },
      '/openapi.json': { get: machine('getOpenApi', 'This description') },
      '/docs': { get: machine('getDocs', 'The same for people') },
      '/healthz': { get: machine('getHealth', 'The process lives') },
      '/readyz': { get: machine('getReadiness', 'It can accept requests (503 when not)') },
      '/metrics': { get: machine('getMetrics', 'Figures for Prometheus') },
    },
    components: {
      schemas: {
        Request: requestSchema(maxInputs),
        Answer: AnswerSchema,
        Status: StatusSchema,
        Refusal: RefusalSchema,
      },
      ...(guarded && { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } }),
    },
  };
}
