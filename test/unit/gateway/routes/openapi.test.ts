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
  app.addHook('onRoute', ({ method, url }) => void routes.push(`${method} ${url}`));
  await app.ready();
  const headers = { host: 'localhost' };
  const [description, page] = await Promise.all([
    app.inject({ url: '/openapi.json', headers }),
    app.inject({ url: '/docs', headers }),
  ]);
  return { routes, description: new SchemaCheck(description.json()), page: page.body };
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

test('the page names every operation, loads nothing and runs no script', async () => {
  const { description, page } = await describedServer([]);
  for (const { method, path } of description.operations)
    expect(page).toContain(`<code>${method.toUpperCase()} ${path}</code>`);
  expect(page).toContain('Idempotency-Key');
  expect(page).not.toMatch(/src=|<link|<script|@import|url\(/);
});
