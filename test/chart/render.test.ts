/** What the chart's values do, in what helm renders. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { CHART, deploymentsOf, helm, render, type Values } from '../support/chart.js';
import type { KubernetesObject } from '../support/kubernetes-schemas.js';
import { textOf } from '../support/pages.js';

describe('what is rendered', () => {
  const byName = (objects: readonly KubernetesObject[], kind: string, end: string) =>
    objects.find(object => object.kind === kind && object.metadata.name.endsWith(end)) as
      | (KubernetesObject & { spec: Record<string, unknown> })
      | undefined;

  test('replicas are left to what scales them', () => {
    const replicas = (values: Values) =>
      Object.fromEntries(
        deploymentsOf(render(values)).map(({ metadata, spec }) => [metadata.name, spec.replicas]),
      );
    const names = { worker: 'try-association-queue-worker', gateway: 'try-association-queue-gateway' };
    expect(replicas({})).toMatchObject({ [names.worker]: 2, [names.gateway]: 2 });
    expect(replicas({ worker: { keda: { enabled: true } } })[names.worker]).toBeUndefined();
    expect(replicas({ worker: { hpa: { enabled: true } } })[names.worker]).toBeUndefined();
    expect(replicas({ gateway: { hpa: { enabled: true } } })[names.gateway]).toBeUndefined();
    expect(replicas({ worker: { replicas: 0 } })[names.worker]).toBe(0);
  });

  test('KEDA asks the gateway, to zero and back, and knows what to do without an answer', () => {
    const objects = render({ worker: { keda: { enabled: true } } });
    const service = byName(objects, 'Service', '-gateway');
    expect(byName(objects, 'ScaledObject', '-worker')?.spec).toMatchObject({
      scaleTargetRef: { name: byName(objects, 'Deployment', '-worker')?.metadata.name },
      minReplicaCount: 0,
      fallback: { failureThreshold: 3, replicas: 2 },
      triggers: [
        {
          type: 'metrics-api',
          metricType: 'AverageValue',
          metadata: {
            url: `http://${service?.metadata.name}.shop.svc:3000/metrics`,
            format: 'prometheus',
            valueLocation: 'association_useful_replicas',
          },
        },
      ],
    });
    expect(textOf('docs/reference/metrics.md')).toContain('`association_useful_replicas`');
    const prometheus = {
      enabled: true,
      source: 'prometheus',
      prometheus: { serverAddress: 'http://p:9090' },
    };
    const asked = byName(render({ worker: { keda: prometheus } }), 'ScaledObject', '-worker')?.spec;
    expect(asked?.triggers).toMatchObject([
      { metadata: { query: 'max(association_useful_replicas)', ignoreNullValues: 'false' } },
    ]);
  });

  test('a large number stays a number with all its digits', () => {
    const [gateway] = deploymentsOf(render({ settings: { MAX_QUEUED_ASSOCIATIONS: 123_456_789 } })).filter(
      ({ metadata }) => metadata.name.endsWith('-gateway'),
    );
    expect(gateway?.spec.template.spec.containers[0]?.env).toContainEqual({
      name: 'MAX_QUEUED_ASSOCIATIONS',
      value: '123456789',
    });
  });

  test('a program has more time to end than it takes, and the gateway stays until its endpoint is gone', () => {
    const graces = (values: Values) =>
      Object.fromEntries(
        deploymentsOf(render(values)).map(({ spec }) => {
          const { containers, terminationGracePeriodSeconds } = spec.template.spec;
          return [
            containers[0]?.name,
            [terminationGracePeriodSeconds, containers[0]?.lifecycle?.preStop.sleep.seconds],
          ];
        }),
      );
    expect(graces({})).toEqual({ worker: [35, undefined], gateway: [40, 5], dashboard: [15, undefined] });
    const slow = { settings: { SHUTDOWN_TIMEOUT_MS: 60_001 }, gateway: { preStopSeconds: 0 } };
    expect(graces(slow)).toMatchObject({ worker: [71, undefined], gateway: [71, undefined] });
  });

  test('alerts and dashboard are those of deploy/monitoring, with the data source of the values', () => {
    const monitoring = {
      prometheusRule: { enabled: true },
      grafanaDashboard: { enabled: true, datasourceUid: 'mimir' },
    };
    const objects = render({ monitoring });
    // whose rules promtool tests
    expect(byName(objects, 'PrometheusRule', 'queue')?.spec).toEqual(
      parse(textOf('deploy/monitoring/alerts.yml')),
    );
    const map = byName(objects, 'ConfigMap', '-grafana') as unknown as { data: Record<string, string> };
    const dashboard = JSON.parse(map.data['association-queue.json'] ?? '') as { uid: string };
    expect(dashboard.uid).toBe('association-queue');
    expect(new Set(JSON.stringify(dashboard).match(/"type":"prometheus","uid":"[^"]*"/g))).toEqual(
      new Set(['"type":"prometheus","uid":"mimir"']),
    );
  });

  test('the notes say what is installed, how to look at it, and what is missing', () => {
    const { status, stdout } = helm(['install', 'try', CHART, '--dry-run=client', '--namespace', 'shop'], {});
    const notes = stdout.split('NOTES:')[1] ?? '';
    expect(status).toBe(0);
    for (const text of [
      'worker     2 replicas',
      'http://try-association-queue-gateway.shop.svc:3000',
      'exec deploy/try-association-queue-worker -- node dist/cli.js doctor',
      'port-forward svc/try-association-queue-dashboard 3001:3001',
      'Redis at redis://redis:6379',
      'create secret generic association-queue',
      '--from-literal=GATEWAY_API_KEYS=…',
    ])
      expect(notes).toContain(text);
    const scaled = { worker: { keda: { enabled: true } } }; // there may be no worker
    expect(helm(['install', 'try', CHART, '--dry-run=client'], scaled).stdout).toContain('-gateway -- node');
    const bare = { secrets: { GATEWAY_API_KEYS: { name: '' } } };
    expect(helm(['install', 'try', CHART, '--dry-run=client'], bare).stdout).toContain(
      'GATEWAY_API_KEYS: no Secret is named',
    );
  });
});
