/** Reads an OpenAPI document: its operations, and whether an answer matches it. */
import Schema from 'typebox/schema';

type Media = {
  readonly schema: object;
  readonly examples?: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;
};
type Content = { readonly content?: Readonly<Record<string, Media>> };
type Operation = {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary: string;
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<
    Record<
      string,
      Content & {
        readonly description: string;
        readonly headers?: Readonly<
          Record<string, { readonly description?: string; readonly schema: object }>
        >;
      }
    >
  >;
};
type Document = {
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];

  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
};

export class SchemaCheck {
  readonly operations: readonly (Operation & { readonly method: string; readonly path: string })[];

  constructor(readonly document: Document) {
    this.operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })),
    );
  }

  /** @param path as in the document: /requests/{id} @returns false where this status is not described, too */
  accepts(method: string, path: string, status: number, body: unknown): boolean {
    const response = this.document.paths[path]?.[method]?.responses[status];
    const schema = response?.content?.['application/json']?.schema;
    return schema !== undefined && this.matches(schema, body);
  }

  /** @param schema of the document */
  matches(schema: object, value: unknown): boolean {
    // references point into components
    return Schema.Compile({ ...schema, components: this.document.components }).Check(value);
  }
}
