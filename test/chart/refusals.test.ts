/** Values that make no sense are refused: by the schema, or with a sentence that says what to do. */
import { describe, expect, test } from '@jest/globals';
import { CHART, helm, type Values } from '../support/chart.js';

describe('values that make no sense', () => {
  /** @returns what helm says of them; '' if it takes them */
  const refusal = (values: Values, ...args: readonly string[]): string => {
    const { status, stderr } = helm(['template', 'try', CHART, ...args], values);
    return status === 0 ? '' : stderr;
  };

  test.each([
    [{ worker: { replica: 3 } }, 'replica'],
    [{ settings: { RATE_LIMIT_CALL: 150 } }, 'RATE_LIMIT_CALL'],
    [{ settings: { RATE_LIMIT_CALLS: 'many' } }, 'RATE_LIMIT_CALLS'],
    [{ settings: { HUBSPOT_ACCESS_TOKEN: 'pat-eu1' } }, 'HUBSPOT_ACCESS_TOKEN'],
    [{ settings: { METRICS_PORT: 0 } }, 'METRICS_PORT'],
    [{ dashboard: { settings: { JOB_ATTEMPTS: 3 } } }, 'JOB_ATTEMPTS'],
    [{ settings: { REDIS_URL: 'redis://:hunter2@redis:6379' } }, 'REDIS_URL'],
    [{ secrets: { HUBSPOT_TOKEN: { name: 'a' } } }, 'HUBSPOT_TOKEN'],
    [{ secrets: { GATEWAY_API_KEYS: 'hunter2' } }, 'GATEWAY_API_KEYS'],
    [{ worker: { keda: { enabled: true, source: 'prometheus' } } }, 'serverAddress'],
    [{ gateway: { ingress: { enabled: true } } }, 'hosts'],
    [{ worker: { hpa: { enabled: true }, keda: { enabled: true } } }, '/worker'],
  ] as const)('%j is refused by the schema', (values, place) => {
    expect(refusal(values)).toContain(place);
    expect(refusal(values)).toContain("don't meet the specifications of the schema");
  });

  test.each([
    [
      { worker: { hpa: { enabled: true }, keda: { enabled: true } } },
      /two autoscalers would work against each other/,
    ],
    [
      { worker: { keda: { enabled: true } }, gateway: { enabled: false } },
      /enable the gateway, or read Prometheus/,
    ],
    [
      { worker: { keda: { enabled: true, minReplicas: 4 } } },
      /minReplicas is larger than worker.keda.maxReplicas/,
    ],
    [{ gateway: { hpa: { enabled: true, minReplicas: 7 } } }, /gateway.hpa.minReplicas is larger/],
    [
      { gateway: { hpa: { enabled: true }, resources: { requests: { cpu: null } } } },
      /measured in percent of it/,
    ],
    [
      { simulator: { enabled: true }, settings: { HUBSPOT_BASE_URL: 'https://x' } },
      /either the simulator or/,
    ],
    [
      { pod: { extraEnv: [{ name: 'LOG_LEVEL', value: 'debug' }] } },
      /extraEnv has LOG_LEVEL.*give it in settings/,
    ],
    [{ worker: { pod: { extraEnv: [{ name: 'HUBSPOT_ACCESS_TOKEN', value: 'x' }] } } }, /Secret in secrets/],
    [{ dashboard: { ingress: { enabled: true } } }, /dashboard.ingress.hosts is empty/],
  ])('%j is refused with a sentence', (values, sentence) => {
    expect(refusal(values, '--skip-schema-validation')).toMatch(sentence);
  });

  test('a Kubernetes without what the chart uses is refused', () => {
    expect(refusal({}, '--kube-version', '1.29.0')).toContain('incompatible with Kubernetes v1.29.0');
    expect(refusal({}, '--kube-version', '1.30.0')).toBe('');
  });
});
