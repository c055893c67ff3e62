/** /openapi.json and /docs: made of the routes themselves, so that no route is left out. */
import { expect, test } from '@jest/globals';
import { createServer, type ServerParts } from '../../../../src/gateway/server.js';
import { SchemaCheck } from '../../../support/openapi.js';

const answer = {
  ...{ status: 'PENDING', results: [], requestedAt: '2026-03-01T12:00:00.000Z' },
  ...{ startedAt: '2026-03-01T12:00:00.000Z' },
  links: { status: '/requests/1' },
};

/** A server without Redis: the tests read only its descriptions. */
async function describedServer(apiKeys: string[]) {
  const routes: string[] = [];
  const app = createServer({
    ...{ apiKeys, maxInputs: 500, version: '1.2.3', logger: {}, metrics: { request() {} } },
    ...{ requests: {}, outcomes: {}, stopping: new AbortController().signal },
  } as unknown as ServerParts);
  app.addHook('onRoute', ({ method, url }) => {
    if (!url.startsWith('/docs')) routes.push(`${method} ${url}`);
  });
  await app.ready();
  const headers = { host: 'localhost' };
  const get = (url: string) => app.inject({ url, headers });
  return { routes, get, description: new SchemaCheck((await get('/openapi.json')).json()) };
}

test('every route of the server is described under its own name, and nothing else is', async () => {
  const { routes, description } = await describedServer([]);
  const described = description.operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  expect(described.toSorted()).toEqual(routes.map(route => route.replace(/:(\w+)/g, '{$1}')).toSorted());
  expect(described).toHaveLength(12);
  expect(new Set(description.operations.map(({ operationId }) => operationId)).size).toBe(12);
});

test('each operation says what it takes and what each answer means', async () => {
  const { description } = await describedServer([]);
  for (const { path, summary, parameters = [], responses } of description.operations) {
    expect(summary.length).toBeGreaterThan(0);
    for (const response of Object.values(responses)) {
      expect(response.description).not.toMatch(/^(Default Response)?$/);
      expect(Object.keys(response.content ?? {})).toHaveLength(1);
    }
    const inPath = parameters.filter(parameter => parameter.in === 'path').map(({ name }) => name);
    expect(inPath).toEqual([...path.matchAll(/{(\w+)}/g)].map(([, name]) => name));
  }
  const create = description.operations[0];
  expect(create?.parameters?.map(({ name }) => name)).toEqual([
    ...['fromObjectType', 'toObjectType', 'Prefer', 'Idempotency-Key', 'X-Request-Name', 'X-Priority'],
  ]);
  expect(Object.keys(create?.responses ?? {})).toEqual([
    '201',
    '202',
    '207',
    '400',
    '401',
    '413',
    '415',
    '422',
    '429',
    '503',
  ]);
});

test('a key is asked for only where one is needed', async () => {
  const security = async (keys: string[]) => {
    const { description } = await describedServer(keys);
    return description.operations.map(operation => [operation.path, operation.security] as const);
  };
  for (const [, needed] of await security([])) expect(needed).toEqual([]);
  for (const [path, needed] of await security(['k']))
    expect(needed).toEqual(/^\/(crm|requests)\b/.test(path) ? [{ bearer: [] }] : []);
});

test('its schemas tell a good body from a bad one', async () => {
  const { description } = await describedServer([]);
  const path = description.operations[0]?.path ?? '';
  expect(description.accepts('post', path, 201, answer)).toBe(true);
  expect(description.accepts('post', path, 201, { ...answer, status: 'DONE' })).toBe(false);
  expect(description.accepts('post', path, 400, answer)).toBe(false);
});

test('every operation has a tag that says what it is for, and calls go to the gateway that is asked', async () => {
  const { description } = await describedServer([]);
  const { servers, tags } = description.document;
  expect(servers.map(({ url }) => url)).toEqual(['/']);
  const used = description.operations.flatMap(({ tags = [] }) => tags);
  expect(new Set(used)).toEqual(new Set(tags.map(({ name }) => name)));
  expect(used).toHaveLength(description.operations.length);
});

test('every JSON body that is sent or got has an example, which fits its schema', async () => {
  const { description } = await describedServer([]);
  const missing: string[] = [];
  for (const { method, path, requestBody, responses } of description.operations.filter(({ path }) =>
    /^\/(crm|requests)/.test(path),
  ))
    for (const [name, body] of [...Object.entries(responses), ['body', requestBody] as const]) {
      const media = body?.content?.['application/json'];
      if (!media || Number(name) >= 400) continue;
      const examples = Object.values(media.examples ?? {});
      if (examples.length === 0) missing.push(`${method} ${path} ${name}`);
      for (const { summary, value } of examples)
        expect([summary, description.matches(media.schema, value)]).toEqual([summary, true]);
    }
  expect(missing).toEqual([]);
});

test('headers of answers are described', async () => {
  const { description } = await describedServer(['k']);
  const headersOf = (id: string, status: number) =>
    Object.keys(
      description.operations.find(({ operationId }) => operationId === id)?.responses[status]?.headers ?? {},
    );
  expect(headersOf('createAssociations_v4', 201)).toEqual([
    ...['x-correlation-id', 'location', 'preference-applied', 'x-association-warnings'],
  ]);
  expect(headersOf('createAssociations_v4', 429)).toEqual(['x-correlation-id', 'retry-after']);
  expect(headersOf('listRequests', 401)).toEqual(['x-correlation-id', 'www-authenticate']);
});

test('the page loads only what this gateway serves, and the root leads to it', async () => {
  const { get } = await describedServer([]);
  expect((await get('/')).headers.location).toBe('/docs/');
  const page = await get('/docs/');
  expect(page.headers['content-security-policy']).toContain("default-src 'self'");
  const loaded = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => String(url));
  expect(loaded).toContain('./static/theme/viewport.js');
  for (const url of loaded) expect([url, (await get(`/docs/${url}`)).statusCode]).toEqual([url, 200]);
  expect((await get('/docs/json')).json()).toEqual((await get('/openapi.json')).json());
});
