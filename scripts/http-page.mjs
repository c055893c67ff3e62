// Makes the tables of docs/reference/http.md from /openapi.json, which the gateway makes from its routes.
import { createServer } from '../dist/gateway/server.js';
import { SETTINGS } from '../dist/shared/runtime/settings.js';

/** Markdown, without a newline at the end. */
export async function httpCalls() {
  const { paths, components } = await openApi();
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      ...operation,
    })),
  );
  // HubSpot's call under its dated paths is one call
  const [first, ...rest] = groupedBy(calls, ({ operationId }) => operationId.replace(/_.*/, ''));
  const sections = [first, ...rest].map(callSection);
  const bodies = Object.entries(components.schemas).map(([name, schema]) => bodySection(name, schema));
  return [...sections, '## Bodies', ...bodies].join('\n\n');
}

/** A server without Redis: only its description is read. */
async function openApi() {
  const metrics = { request() {} };
  const parts = {
    apiKeys: ['any'],
    maxInputs: SETTINGS.gatewayMaxInputs.default,
    version: '',
    logger: {},
    metrics,
  };
  const app = createServer({ ...parts, requests: {}, outcomes: {}, stopping: new AbortController().signal });
  const headers = { host: 'localhost' };
  return (await app.inject({ url: '/openapi.json', headers })).json();
}

function groupedBy(calls, keyOf) {
  const groups = new Map();
  for (const call of calls) groups.set(keyOf(call), [...(groups.get(keyOf(call)) ?? []), call]);
  return [...groups.values()];
}

function callSection(calls) {
  const [{ summary, description, parameters = [], requestBody, responses, security = [] }] = calls;
  const inputs = parameters.map(
    ({ name, in: place, description }) => `| \`${name}\` (${place}) | ${cell(description)} |`,
  );
  const body =
    requestBody && `| body | [${bodyName(requestBody)}](#${bodyName(requestBody).toLowerCase()}) |`;
  const answers = Object.entries(responses).map(
    ([status, response]) =>
      `| ${status} | ${cell(response.description)} | ${link(bodyName(response))} | ${headerNames(response)} |`,
  );
  return [
    `## ${summary}`,
    calls.map(({ title }) => `\`${title}\``).join('\\\n'),
    [description, security.length > 0 ? 'It needs a key if the gateway has keys.' : undefined]
      .filter(Boolean)
      .join(' '),
    body || inputs.length > 0
      ? ['| takes | |', '|---|---|', ...inputs, body].filter(Boolean).join('\n')
      : undefined,
    ['| answers | when | body | headers |', '|---|---|---|---|', ...answers].join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Every answer has x-correlation-id. */
const headerNames = ({ headers = {} }) =>
  Object.keys(headers)
    .filter(name => name !== 'x-correlation-id')
    .map(name => `\`${name}\``)
    .join(', ');

function bodySection(name, schema) {
  const rows = fields(schema).map(
    ({ path, type, isOptional, description = '' }) =>
      `| \`${path}\` | ${cell(type)}${isOptional ? ', optional' : ''} | ${cell(description)} |`,
  );
  return [`### ${name}`, schema.description, ['| field | type | |', '|---|---|---|', ...rows].join('\n')]
    .filter(Boolean)
    .join('\n\n');
}

/** The fields of an object, those of nested objects and of lists included: `inputs[].from.id`. */
function fields(schema, path = '') {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path + name;
    const isOptional = !(schema.required ?? []).includes(name);
    const own = { path: at, type: typeOf(field), isOptional, description: field.description };
    return [own, ...fields(field, `${at}.`), ...fields(field.items ?? {}, `${at}[].`)];
  });
}

function typeOf({ type, anyOf, enum: values, const: value, items, format }) {
  if (value !== undefined) return `\`${value}\``;
  if (values) return values.map(one => `\`${one}\``).join(', ');
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (type === 'array') return items?.properties ? 'list of objects' : `list of ${typeOf(items ?? {})}s`;
  return format === 'date-time' ? 'time' : (type ?? 'any');
}

/** @returns the name of a shared JSON body; undefined for others */
function bodyName({ content = {} }) {
  return content['application/json']?.schema?.$ref?.split('/').at(-1);
}

const link = name => (name ? `[${name}](#${name.toLowerCase()})` : '');
const cell = text => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
