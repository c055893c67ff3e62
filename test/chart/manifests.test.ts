/** deploy/kubernetes: what the chart gives with its default values, for kubectl. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { chartTools, objectsOf, ROOT } from '../support/chart.js';
import { faultsOf } from '../support/kubernetes-schemas.js';

const run = (program: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: ROOT });
  return { status, stdout, stderr };
};

test('is what helm renders now (npm run manifests)', () => {
  expect(run(process.execPath, 'scripts/render-manifests.mjs', '--check')).toEqual({
    ...{ status: 0, stdout: '', stderr: '' },
  });
});

test('kubectl kustomize builds it, and each object is valid', async () => {
  const { status, stdout } = run(chartTools().kubectl, 'kustomize', 'deploy/kubernetes');
  expect(status).toBe(0);
  const objects = objectsOf(stdout);
  expect(objects.map(({ kind }) => kind).toSorted()).toEqual([
    ...['Deployment', 'Deployment', 'Deployment'],
    ...['PodDisruptionBudget', 'PodDisruptionBudget', 'Service', 'Service', 'ServiceAccount'],
  ]);
  for (const object of objects)
    expect([object.metadata.name, await faultsOf(object)]).toEqual([object.metadata.name, []]);
});

test('the Redis of the example is valid, keeps what it is given and evicts nothing', async () => {
  const text = readFileSync(path.join(ROOT, 'deploy/kubernetes/redis-example.yaml'), 'utf8');
  const objects = objectsOf(text);
  expect(objects.map(({ kind }) => kind)).toEqual(['Service', 'StatefulSet']);
  for (const object of objects) expect([object.kind, await faultsOf(object)]).toEqual([object.kind, []]);
  expect(text).toMatch(/- --appendonly\n +- "yes"\n +- --maxmemory-policy\n +- noeviction\n/);
  expect(text).toMatch(/image: redis:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}\n/);
});
