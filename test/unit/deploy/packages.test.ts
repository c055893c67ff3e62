/** The manifest of the client package says what its files need, in the versions that the app is tested with. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

type Found = { readonly eager: string[]; readonly lazy: string[]; readonly types: string[] };
const root = fileURLToPath(new URL('../../..', import.meta.url));
const { clientFaults, likeTheApp } = (await import(`${root}scripts/client-files.mjs`)) as {
  clientFaults(found: Found, app: object, client: object): string[];
  likeTheApp(app: object, client: object): object;
};

const app = {
  ...{ version: '1.2.3', license: 'MIT', type: 'module', engines: { node: '>=20.19' } },
  dependencies: { bullmq: '^6.7.0', ioredis: '6.0.0', axios: '1.21.1', fastify: '5.12.8' },
};
const { dependencies: _all, ...same } = app;
const client = {
  ...same,
  dependencies: { bullmq: '^6.7.0', ioredis: '^6.0.0' },
  peerDependencies: { axios: '^1.21.1' },
  peerDependenciesMeta: { axios: { optional: true } },
};
const found = { eager: ['bullmq', 'ioredis'], lazy: ['axios'], types: ['ioredis'] };

it('a manifest that fits has no fault', () => {
  expect(clientFaults(found, app, client)).toEqual([]);
});

describe('a fault is', () => {
  it.each<[string, Found, object, string]>([
    [
      'a package that is imported and missing',
      { ...found, eager: [...found.eager, 'leven'] },
      {},
      'dependencies lack leven',
    ],
    [
      'a package that nothing imports',
      { ...found, eager: ['bullmq'], types: [] },
      {},
      'dependencies have ioredis',
    ],
    [
      'an optional package that is missing',
      { ...found, lazy: ['axios', 'bullmq-otel'] },
      {},
      'peerDependencies lack bullmq-otel',
    ],
    [
      'declarations that need an optional package',
      { ...found, types: ['axios'] },
      {},
      'declarations import axios',
    ],
    [
      'another version',
      found,
      { dependencies: { bullmq: '^6.7.0', ioredis: '^5.0.0' } },
      'ioredis ^5.0.0 is not ^6.0.0',
    ],
    ['a peer that is not optional', found, { peerDependenciesMeta: {} }, 'axios is not optional'],
    ['another version of the package', found, { version: '1.2.2' }, 'version differs'],
    ['another version of Node', found, { engines: { node: '>=18' } }, 'engines differ'],
  ])('%s', (_name, given, more, fault) => {
    expect(clientFaults(given, app, { ...client, ...more })).toEqual([expect.stringContaining(fault)]);
  });
});

it('what the app decides can be written into the manifest', () => {
  const old = { ...client, version: '1.0.0', dependencies: { bullmq: '^6.0.0', ioredis: '6.0.0' } };
  expect(clientFaults(found, app, old)).toHaveLength(3);
  expect(likeTheApp(app, old)).toEqual(client);
});
