/** What a user gets: both packages, packed from a clean clone, installed into empty folders, and used there. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { STRICT, TSC } from '../support/consumer.js';
import { installed, type Packed, PackedPackages } from '../support/packed.js';
import { useRedis } from '../support/redis.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const test = useRedis(import.meta.url);
const packages = new PackedPackages();
beforeAll(() => packages.make(), 600_000);
afterAll(() => packages.end());

const APP = 'hubspot-association-queue';
const CLIENT = 'hubspot-association-queue-client';
const both: [name: string, packed: () => Packed][] = [
  [CLIENT, () => packages.client],
  [APP, () => packages.app],
];

/** Runs a module in the folder of a user. @param how its extension: .mjs or .cjs */
async function runIn(
  { directory }: Packed,
  how: 'mjs' | 'cjs',
  code: string,
  env: Record<string, string> = {},
) {
  const file = path.join(directory, `main.${how}`);
  writeFileSync(file, code);
  return run(process.execPath, [file], { cwd: directory, env: { PATH: process.env.PATH, ...env } });
}
const read = ({ directory, manifest }: Packed, file: string): string =>
  readFileSync(path.join(directory, 'node_modules', manifest.name, file), 'utf8');

describe.each(both)('the package %s', (name, packed) => {
  it('has its build, its license and a page, and no maps to sources that it does not have', () => {
    const { files, manifest } = packed();
    expect(manifest.name).toBe(name);
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts']),
    );
    expect(
      files.filter(
        file => !/^(LICENSE|README\.md|package\.json|docs\/job\.schema\.json|dist\/.*)$/.test(file),
      ),
    ).toEqual([]);
    expect(files.filter(file => /\.map$|(?<!\.d)\.ts$/.test(file))).toEqual([]);
    const scripts = files.filter(file => file.endsWith('.js'));
    expect(scripts.filter(file => read(packed(), file).includes('sourceMappingURL'))).toEqual([]);
  });

  it('tells npm and bundlers what it is', () => {
    const { manifest } = packed();
    const app = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(manifest).toMatchObject({
      version: app.version,
      license: 'MIT',
      type: 'module',
      engines: { node: '>=20.19' },
      sideEffects: expect.anything(),
      publishConfig: { access: 'public', provenance: true },
    });
  });

  it('is imported by modules and required by CommonJS', async () => {
    const call = 'console.log(typeof createProducer, new ConfigError(["x"]).code)';
    const esm = await runIn(
      packed(),
      'mjs',
      `import { ConfigError, createProducer } from '${name}';\n${call}`,
    );
    const cjs = await runIn(
      packed(),
      'cjs',
      `const { ConfigError, createProducer } = require('${name}');\n${call}`,
    );
    expect([esm.stdout, cjs.stdout]).toEqual(['function CONFIG\n', 'function CONFIG\n']);
  });

  it('has types for every way of resolving modules, in strict mode and with all declarations checked', async () => {
    const { directory } = packed();
    link(directory, '@types/node', 'undici-types');
    const code = `import { type AssociationInput, createProducer } from '${name}';
const link: AssociationInput = { fromObjectType: 'contacts', toObjectType: 'companies', from: 1, to: '2' };
export const enqueued: Promise<number> = createProducer().enqueueMany([link]).then(({ associations }) => associations);
// @ts-expect-error a number is no object type
export const wrong: AssociationInput = { ...link, toObjectType: 7 };
`;
    writeFileSync(path.join(directory, 'types.mts'), code);
    writeFileSync(path.join(directory, 'types.cts'), code);
    writeFileSync(path.join(directory, 'types.ts'), code);
    await compile(directory, ['types.mts', 'types.cts'], { module: 'nodenext' });
    await compile(directory, ['types.ts'], { module: 'esnext', moduleResolution: 'bundler' });
  });

  it('installs without a warning of npm', () => {
    expect(packed().warnings).toBe('');
  });
});

describe('the client', () => {
  it('brings at most 12 packages beside those of bullmq and ioredis, and neither axios nor OpenTelemetry', () => {
    const { directory } = packages.client;
    const { all, brought } = installed(directory, ['bullmq', 'ioredis']);
    const own = all.filter(place => !brought.has(place) && place !== `node_modules/${CLIENT}`);
    expect(own.length).toBeLessThanOrEqual(12);
    expect(all.filter(place => /axios|opentelemetry|bullmq-otel/.test(place))).toEqual([]);
    expect(existsSync(path.join(directory, 'node_modules/axios'))).toBe(false);
  });

  it('enqueues, and says what to install for a label and for traces', async () => {
    const { stdout, stderr } = await runIn(
      packages.client,
      'mjs',
      `import { createProducer } from '${CLIENT}';
globalThis[Symbol.for('opentelemetry.js.api.1')] = { trace: {} }; // a process with traces
const producer = createProducer({ hubspot: { accessToken: 'any', baseUrl: 'http://127.0.0.1:1' } });
const link = { fromObjectType: 'contacts', toObjectType: 'companies', from: 101, to: 202 };
const { requestId } = await producer.enqueueMany([{ ...link, types: 'HUBSPOT_DEFINED:279' }]);
const { queued } = await producer.request(requestId);
console.log(queued);
await producer.enqueue({ ...link, label: 'Chef' }).catch(({ message }) => console.log(message));
await producer.close();`,
      { REDIS_URL: test.url, QUEUE_PREFIX: test.newPrefix() },
    );
    const [queued, refusal] = stdout.split('\n');
    expect(queued).toBe('1');
    expect(refusal).toContain('need the package axios, which is not installed: npm install axios');
    expect(stderr).toContain('npm install bullmq-otel @opentelemetry/api');
  });
});

describe('the app', () => {
  it('has the command line', async () => {
    const { directory, manifest } = packages.app;
    const bin = path.join(directory, 'node_modules/.bin/association-queue');
    const [help, version] = await Promise.all([run(bin, ['--help']), run(bin, ['--version'])]);
    expect(help.stdout).toContain('Usage: association-queue');
    expect(version.stdout.trim()).toBe(manifest.version);
  });

  it('has the schema of a job', async () => {
    const code = `import schema from '${APP}/job.schema.json' with { type: 'json' };\nconsole.log(schema.title);`;
    const { stdout } = await runIn(packages.app, 'mjs', code);
    expect(stdout).toBe('Data of a job in the queue hubspot-associations\n');
  });
});

describe('the programs on the pages', () => {
  const pages = ['README.md', 'client/README.md', ...markdownIn('docs')];
  /** Others use HubSpot's SDK, or Node alone: they are JavaScript, and test/examples runs them. */
  const isForTheQueue = ({ code }: { code: string }) => /from '(hubspot-association-queue|bullmq)/.test(code);
  const all = pages.flatMap(page =>
    [...readFileSync(page, 'utf8').matchAll(/^```(?:js|ts|mjs|mts)\n([\s\S]*?)^```/gm)].map(
      ([, code = '']) => ({ page, code }),
    ),
  );
  const programs = all.filter(isForTheQueue);

  it('compile in strict mode, for Node and for bundlers', async () => {
    const { directory } = packages.client;
    link(directory, '@types/node', 'undici-types');
    symlinkSync(
      path.join(packages.app.directory, 'node_modules', APP),
      path.join(directory, 'node_modules', APP),
    );
    const files = programs.map(({ page, code }, at) => {
      const file = `${at}-${page.replace(/\W+/g, '-')}.ts`;
      writeFileSync(path.join(directory, file), `${code}\nexport {};\n`);
      return file;
    });
    expect(files.length).toBeGreaterThan(4);
    await compile(directory, files, { module: 'nodenext' });
    await compile(directory, files, { module: 'esnext', moduleResolution: 'bundler' });
  });
});

/** Without the reference of the library, whose examples test/examples/api.test.ts compiles and runs. */
function markdownIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.md') && !/node_modules|^decisions\/|^reference\/api\.md$/.test(file))
    .map(file => path.join(folder, file));
}

/** Puts packages of ours among those of a user: what a user has beside them, and not what is tested. */
function link(directory: string, ...names: string[]): void {
  for (const name of names) {
    const target = path.join(directory, 'node_modules', name);
    if (existsSync(target)) continue;
    mkdirSync(path.dirname(target), { recursive: true });
    symlinkSync(path.join(root, 'node_modules', name), target);
  }
}

async function compile(directory: string, files: readonly string[], options: object): Promise<void> {
  const compilerOptions = { ...STRICT, noEmit: true, ...options };
  writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  await run(process.execPath, [TSC, '-p', directory]).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });
}
