/**
 * What a user of another stack does with /openapi.json: a client that openapi-typescript generates from a running gateway is
 * compiled in strict mode, enqueues, and reads what became of it. The generator is installed into an empty folder, because it
 * needs a TypeScript with the compiler's JavaScript interface.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { STRICT } from '../support/consumer.js';
import { type GatewayProcess, startGateway } from '../support/gateway.js';
import { useQueue } from '../support/queue.js';

const run = promisify(execFile);
const test = useQueue(import.meta.url);
const directory = mkdtempSync(path.join(tmpdir(), 'openapi-client-'));
const INSTALLED = ['openapi-typescript@7.13.0', 'openapi-fetch@0.17.0', 'typescript@5.9.3'];
const KEY = 'openapi-client-key';

const inFolder = (command: string, args: readonly string[]) => run(command, args, { cwd: directory });
const bin = (name: string, ...args: string[]) => inFolder(path.join('node_modules', '.bin', name), args);
const program = (input: string) => `
import createClient from 'openapi-fetch';
import type { paths } from './api.js';

const client = createClient<paths>({ baseUrl: process.argv[2] ?? '', headers: { authorization: 'Bearer ${KEY}' } });
const { data, error, response } = await client.POST(
  '/crm/v4/associations/{fromObjectType}/{toObjectType}/batch/create',
  { params: { path: { fromObjectType: 'contacts', toObjectType: 'companies' } }, body: { inputs: [${input}] } },
);
if (!data) throw new Error(error.message);
const id = data.links.status.split('/').at(-1) ?? '';
const { data: request } = await client.GET('/requests/{id}', { params: { path: { id } } });
console.log(JSON.stringify([response.status, data.status, request?.state, request?.queued]));
`;
const compile = (input: string) => {
  writeFileSync(path.join(directory, 'main.ts'), program(input));
  const compilerOptions = { ...STRICT, module: 'nodenext' };
  writeFileSync(
    path.join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['main.ts'] }),
  );
  return bin('tsc').catch((error: { stdout: string }) => {
    throw new Error(error.stdout); // the compiler's words
  });
};
const TYPED = `{
  from: { id: '101' }, to: { id: '202' },
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
}`;

let gateway: GatewayProcess;
beforeAll(async () => {
  writeFileSync(path.join(directory, 'package.json'), '{"name":"consumer","private":true,"type":"module"}');
  await inFolder('npm', [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    ...INSTALLED,
    '@types/node@20',
  ]);
}, 300_000);
afterAll(async () => {
  await gateway?.end('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

it('a client generated from /openapi.json enqueues, and an input without its other side does not compile', async () => {
  gateway = await startGateway({
    ...{ REDIS_URL: test.url, QUEUE_PREFIX: test.prefix },
    GATEWAY_API_KEYS: KEY,
  });
  await bin('openapi-typescript', `${gateway.url}/openapi.json`, '--output', 'api.d.ts');
  await compile(TYPED);
  const { stdout } = await inFolder(process.execPath, ['main.js', gateway.url]);
  expect(JSON.parse(stdout)).toEqual([201, 'PENDING', 'open', 1]);
  const [job] = await test.queue.getWaiting();
  expect(job?.data).toMatchObject({ fromObjectType: 'contacts', pairs: [['101', '202']] });

  await expect(compile(`{ from: { id: '101' } }`)).rejects.toThrow("Property 'to' is missing");
});
