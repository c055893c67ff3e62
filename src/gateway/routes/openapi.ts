/**
 * /openapi.json: @fastify/swagger makes it from the routes' schemas; this file has the description around them. Pure.
 * Each route describes itself where it is defined.
 */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { TSchema } from '../../shared/contract/typebox.js';
import {
  AnswerSchema,
  CancelledSchema,
  ListSchema,
  RefusalSchema,
  requestSchema,
  StatusSchema,
} from '../schemas.js';
import { REQUEST_EXAMPLES } from './examples.js';

/** Bodies that several routes share, under their names in `components`. */
export type BodyName = 'Request' | 'Answer' | 'Status' | 'List' | 'Cancelled' | 'Refusal';

export const namedBodies = (maxInputs: number): readonly TSchema[] => {
  const bodies: Readonly<Record<BodyName, TSchema>> = {
    Request: requestSchema(maxInputs),
    Answer: AnswerSchema,
    Status: StatusSchema,
    List: ListSchema,
    Cancelled: CancelledSchema,
    Refusal: RefusalSchema,
  };
  return Object.entries(bodies).map(([$id, schema]) => ({ ...schema, $id }));
};
export const bodyNamed = (name: BodyName) => ({ $ref: `${name}#` });

/** What a response has beside its body. Headers that every response has are added by {@link openApiOptions}. */
export type Beside = {
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
  readonly headers?: Readonly<Record<string, object>>;
};

/** A response with a shared body. */
export const answers = (
  description: string,
  body: BodyName = 'Answer',
  { examples, headers = {} }: Beside = {},
) => ({
  description,
  headers: { ...EVERYWHERE, ...headers },
  content: { 'application/json': { schema: bodyNamed(body), ...(examples && { examples }) } },
});
export const refuses = (description: string, headers: Beside['headers'] = {}) =>
  answers(description, 'Refusal', { headers });

export const textHeader = (description: string) => ({ type: 'string', description });
const EVERYWHERE = {
  'x-correlation-id': textHeader('names this call in the log of the gateway'),
};
export const RETRY_AFTER = {
  'retry-after': { type: 'integer', minimum: 1, description: 'when to come back, seconds' },
};

export const TAGS = {
  associations: 'Associations',
  requests: 'Requests',
  service: 'Service',
} as const;

/** @param isGuarded true if the gateway has bearer keys */
export const openApiOptions = (version: string, isGuarded: boolean): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Association queue: gateway',
      version,
      description:
        "Takes HubSpot's batch/create calls of any size and creates the associations in the background, within HubSpot's limits, none lost. A request is answered once all its associations are durable in Redis.",
    },
    servers: [{ url: '/', description: 'this gateway' }],
    tags: [
      { name: TAGS.associations, description: "Enqueue: HubSpot's own call, under each of its API versions" },
      { name: TAGS.requests, description: 'What became of what a caller has sent' },
      { name: TAGS.service, description: 'The gateway itself; no key is needed' },
    ],
    ...(isGuarded && { components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } }),
  },
  transform: ({ url, route }) => ({ url, schema: route.config?.described ?? { hide: true } }),
  transformObject: described => {
    if (!('openapiObject' in described)) return described.swaggerObject;
    addRequestExamples(described.openapiObject as DescribedPaths);
    return described.openapiObject;
  },
  convertConstToEnum: false, // JSON Schema 2020-12, which OpenAPI 3.1 takes as it is
  refResolver: {
    buildLocalReference: ({ $id }, _base, _fragment, index) => String($id ?? `schema-${index}`),
  },
});

type DescribedPaths = {
  readonly paths?: Readonly<Record<string, { readonly post?: { readonly requestBody?: DescribedBody } }>>;
};
type DescribedBody = { readonly content: Readonly<Record<string, { examples?: typeof REQUEST_EXAMPLES }>> };

/** @fastify/swagger takes no examples beside the reference to a body. */
function addRequestExamples({ paths = {} }: DescribedPaths): void {
  for (const { post } of Object.values(paths)) {
    const media = post?.requestBody?.content['application/json'];
    if (media) media.examples = REQUEST_EXAMPLES;
  }
}
