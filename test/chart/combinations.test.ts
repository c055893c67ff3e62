/** Every combination of the chart's values gives objects that Kubernetes takes. */
import { describe, expect, test } from '@jest/globals';
import { SETTINGS, type Setting } from '../../src/shared/runtime/settings.js';
import { CHART, type Deployment, deploymentsOf, helm, render } from '../support/chart.js';
import { COMBINATIONS, isAllowed, SWITCHES, valuesOf } from '../support/chart-values.js';
import { faultsOf, type KubernetesObject } from '../support/kubernetes-schemas.js';

const named = COMBINATIONS.map((combination, at) => ({ at, combination }));

/** What an API server refuses or ignores beyond the schema. */
function inconsistencies(objects: readonly KubernetesObject[]): string[] {
  const faults: string[] = [];
  const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  faults.push(
    ...names.filter((name, at) => names.indexOf(name) !== at).map(name => `${name} is there twice`),
  );
  for (const { kind, metadata } of objects) {
    if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(metadata.name))
      faults.push(`${kind}: name "${metadata.name}"`);
    for (const [key, value] of Object.entries(metadata.labels ?? {}))
      if (!/^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/.test(value))
        faults.push(`${kind}: label ${key}=${value}`);
  }
  for (const { metadata, spec } of deploymentsOf(objects)) {
    const { template, selector } = spec;
    for (const [label, value] of Object.entries(selector.matchLabels))
      if (template.metadata.labels[label] !== value)
        faults.push(`${metadata.name} selects no pod of its own`);
    const volumes = template.spec.volumes.map(({ name }) => name);
    for (const { env = [], volumeMounts } of template.spec.containers) {
      const variables = env.map(({ name }) => name);
      faults.push(
        ...variables.filter((name, at) => variables.indexOf(name) !== at).map(name => `${name} twice`),
      );
      for (const { name } of volumeMounts) if (!volumes.includes(name)) faults.push(`no volume ${name}`);
      for (const { name, value, valueFrom } of env)
        if ((value === undefined) === (valueFrom === undefined) || value === '')
          faults.push(`${name} has no value`);
    }
  }
  return faults;
}

describe('every two values of different switches together', () => {
  test('are in few combinations', () => {
    const names = Object.keys(SWITCHES);
    for (const [at, one] of names.entries())
      for (const other of names.slice(at + 1))
        for (const value of SWITCHES[one] ?? [])
          for (const others of SWITCHES[other] ?? []) {
            const together = COMBINATIONS.some(found => found[one] === value && found[other] === others);
            expect([one, value, other, others, together]).toEqual([
              ...[one, value, other, others],
              isAllowed([one, value, other, others]),
            ]);
          }
    expect(COMBINATIONS.length).toBeLessThan(30);
  });

  test.each(named)('give valid objects (combination $at)', async ({ combination }) => {
    const objects = render(valuesOf(combination));
    const faults = await Promise.all(
      objects.map(async object => ({
        object: `${object.kind} ${object.metadata.name}`,
        faults: await faultsOf(object),
      })),
    );
    expect({ combination, faults: faults.filter(found => found.faults.length > 0) }).toEqual({
      combination,
      faults: [],
    });
    expect({ combination, faults: inconsistencies(objects) }).toEqual({ combination, faults: [] });
  });

  test.each(named)('pass helm lint --strict (combination $at)', ({ combination }) => {
    const said = helm(['lint', '--strict', '--quiet', CHART], valuesOf(combination));
    expect(said).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each(named)(
    'no pod has more rights than it needs, or variables of other Services (combination $at)',
    each => {
      for (const { spec } of deploymentsOf(render(valuesOf(each.combination)))) {
        expect(spec.template.spec).toMatchObject({
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              resources: { requests: { memory: expect.any(String) }, limits: { memory: expect.any(String) } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
        });
      }
    },
  );

  test('every variable is a setting of the program, or one that the caller adds', () => {
    const known = Object.values<Setting>(SETTINGS).flatMap(({ name, kind }) =>
      kind === 'secret' ? [name, `${name}_FILE`] : [name],
    );
    for (const { combination } of named)
      for (const { spec } of deploymentsOf(render(valuesOf(combination))))
        for (const { name } of spec.template.spec.containers[0]?.env ?? [])
          if (!name.startsWith('OTEL_')) expect(known).toContain(name);
  });
});

describe('the check of objects', () => {
  const deployment = () =>
    structuredClone(
      deploymentsOf(render({})).find(({ metadata }) => metadata.name.endsWith('-worker')),
    ) as Deployment;
  const spoilt = (spoil: (container: Record<string, unknown>) => void): Deployment => {
    const object = deployment();
    spoil(object.spec.template.spec.containers[0] as unknown as Record<string, unknown>);
    return object;
  };

  test('finds a misspelt field, a wrong type and a missing one', async () => {
    const place = '/spec/template/spec/containers/0';
    expect(await faultsOf(deployment())).toEqual([]);
    expect(await faultsOf(spoilt(container => Object.assign(container, { readinesProbe: {} })))).toEqual([
      `${place}/readinesProbe: unknown field`,
    ]);
    expect(await faultsOf(spoilt(container => Object.assign(container, { args: 'worker' })))).toEqual([
      expect.stringContaining(`${place}/args: type`),
    ]);
    expect(await faultsOf(spoilt(container => delete container.name))).toEqual([
      expect.stringContaining(`${place}: required`),
    ]);
  });

  test('finds them in objects of KEDA and of the Prometheus operator as well', async () => {
    const monitoring = { podMonitor: { enabled: true }, prometheusRule: { enabled: true } };
    const objects = render({ worker: { keda: { enabled: true } }, monitoring });
    for (const kind of ['ScaledObject', 'PodMonitor', 'PrometheusRule']) {
      const object = objects.find(found => found.kind === kind) as KubernetesObject & { spec: object };
      expect([kind, await faultsOf(object)]).toEqual([kind, []]);
      const other = { ...object, spec: { ...object.spec, misspelt: 1 } };
      expect([kind, await faultsOf(other as KubernetesObject)]).toEqual([
        kind,
        ['/spec/misspelt: unknown field'],
      ]);
    }
  });
});
