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

/** A response with a shared body. The description belongs to the response, because a reference has none. */
export const answers = (description: string, body: BodyName = 'Answer') => ({
  ...bodyNamed(body),
  description,
});
export const refuses = (description: string) => answers(description, 'Refusal');

/** @param isGuarded true if the gateway has bearer keys */
export const openApiOptions = (version: string, isGuarded: boolean): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Association queue: gateway',
      version,
      description:
        "Takes HubSpot's batch/create calls of any size and creates the associations in the background, within HubSpot's limits, none lost.",
    },
    ...(isGuarded && { components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } } }),
  },
  transform: ({ url, route }) => ({ url, schema: route.config?.described ?? { hide: true } }),
  convertConstToEnum: false, // JSON Schema 2020-12, which OpenAPI 3.1 takes as it is
  refResolver: {
    buildLocalReference: ({ $id }, _base, _fragment, index) => String($id ?? `schema-${index}`),
  },
});

/** The part of the description that the page for people reads. */
export type OpenApi = {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};
export type Operation = {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description: string;
  }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
};
