/** Values of the Helm chart for its tests: switches, and few combinations in which each two of their values meet. */
import { SETTINGS, type Setting } from '../../src/shared/runtime/settings.js';
import type { Values } from './chart.js';
import { type Combination, pairwise, type Switches } from './pairwise.js';

/** Every setting that values may have, at its default; where Redis is has a switch of its own. */
const settings = Object.fromEntries(
  Object.values<Setting>(SETTINGS)
    .filter(
      ({ name, kind }) =>
        kind !== 'secret' && !/_(FILE|HOST|PORT)$|^DASHBOARD_|^REDIS_URL$|^QUEUE_PREFIX$/.test(name),
    )
    .flatMap(setting =>
      setting.kind === 'secret' || setting.default === '' ? [] : [[setting.name, setting.default]],
    ),
);
const everySecret = Object.fromEntries(
  Object.values<Setting>(SETTINGS)
    .filter(({ kind, name }) => kind === 'secret' || name === 'REDIS_URL')
    .map(({ name }, at) => [
      name,
      { name: `secret-${at % 3}`, ...(at % 2 === 0 && { key: name.toLowerCase() }) },
    ]),
);
const everyPodField = {
  labels: { team: 'crm' },
  annotations: { 'example.com/checksum': '1' },
  nodeSelector: { 'kubernetes.io/arch': 'amd64' },
  tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
  priorityClassName: 'high',
  extraEnv: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' }],
  extraEnvFrom: [{ configMapRef: { name: 'proxy' } }],
  extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
  extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }],
};
const peer = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }];
const ingress = { enabled: true, className: 'nginx', annotations: { a: 'b' }, hosts: ['queue.example.com'] };
const prometheus = { serverAddress: 'http://prometheus:9090' };

/** switch → its values → what they set. Values of different switches are merged. */
const CHOICES: Readonly<Record<string, Readonly<Record<string, Values>>>> = {
  worker: { on: {}, off: { worker: { enabled: false } } },
  scaling: {
    none: {},
    keda: { worker: { keda: { enabled: true } } },
    kedaPrometheus: {
      worker: {
        keda: {
          enabled: true,
          minReplicas: 1,
          source: 'prometheus',
          prometheus: { ...prometheus, authentication: 'prometheus', metadata: { authModes: 'bearer' } },
        },
      },
    },
    hpa: { worker: { hpa: { enabled: true, metricLabels: { account: 'default' } } } },
  },
  gateway: {
    on: {},
    off: { gateway: { enabled: false } },
    exposed: {
      gateway: {
        hpa: { enabled: true },
        ingress: { ...ingress, tlsSecretName: 'queue-tls' },
        service: { type: 'LoadBalancer', annotations: { internal: 'true' } },
        preStopSeconds: 0,
      },
    },
  },
  dashboard: {
    on: {},
    off: { dashboard: { enabled: false } },
    exposed: { dashboard: { ingress, settings: { DASHBOARD_READ_ONLY: true } } },
  },
  simulator: { off: {}, on: { simulator: { enabled: true } } },
  network: {
    open: {},
    policies: { networkPolicy: { enabled: true } },
    peers: {
      networkPolicy: {
        ...{ enabled: true, gatewayFrom: peer, dashboardFrom: peer, metricsFrom: peer },
        ...{ redisPorts: [6379, 26379], redisTo: peer, httpsTo: peer },
        extraEgress: [{ ports: [{ port: 4318 }] }],
      },
    },
  },
  monitoring: {
    none: {},
    all: {
      monitoring: {
        podMonitor: { enabled: true, labels: { release: 'prometheus' }, interval: '30s' },
        prometheusRule: { enabled: true, labels: { release: 'prometheus' } },
        grafanaDashboard: { enabled: true, annotations: { folder: 'HubSpot' }, datasourceUid: 'mimir' },
      },
    },
  },
  secrets: { default: {}, every: { secrets: everySecret } },
  redis: {
    default: {},
    tls: {
      settings: {
        REDIS_URL: 'rediss://redis:6380/1',
        REDIS_USERNAME: 'queue',
        REDIS_TLS_SERVERNAME: 'redis.internal',
      },
      secrets: {
        REDIS_PASSWORD: { name: 'redis', key: 'password' },
        REDIS_CA_FILE: { name: 'redis-tls', key: 'ca.crt' },
        REDIS_CERT_FILE: { name: 'redis-tls', key: 'tls.crt' },
        REDIS_KEY_FILE: { name: 'redis-tls', key: 'tls.key' },
      },
    },
    sentinel: {
      settings: { REDIS_URL: 'redis+sentinel://s1:26379,s2:26379/primary', REDIS_SENTINEL_USERNAME: 'queue' },
      secrets: { REDIS_SENTINEL_PASSWORD: { name: 'redis', key: 'sentinel-password' } },
    },
    cluster: { settings: { REDIS_URL: 'redis+cluster://n1:6379,n2:6379', QUEUE_PREFIX: '{bull}' } },
  },
  settings: {
    default: {},
    every: { settings, worker: { settings: { SHUTDOWN_TIMEOUT_MS: 60_001, LOG_LEVEL: 'debug' } } },
  },
  names: {
    default: {},
    other: {
      nameOverride: 'links',
      commonLabels: { team: 'crm' },
      deploymentAnnotations: { reload: 'true' },
    },
    full: { fullnameOverride: 'a-name-that-is-so-long-that-it-does-not-fit-into-the-name-of-an-object' },
  },
  pod: {
    default: {},
    every: { pod: everyPodField, imagePullSecrets: [{ name: 'registry' }] },
    role: {
      worker: { pod: everyPodField },
      gateway: { pod: everyPodField },
      simulator: { pod: everyPodField },
    },
  },
  image: {
    default: {},
    digest: { image: { repository: 'registry.example.com/queue', digest: `sha256:${'0'.repeat(64)}` } },
  },
  rest: {
    default: {},
    other: {
      ...{ listenAddress: '::', serviceAccount: { create: false, name: 'queue' } },
      topologySpread: { topologyKeys: [], whenUnsatisfiable: 'DoNotSchedule' },
      extraObjects: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'extra' }, data: { a: 'b' } },
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-text\ndata:\n  a: b\n',
      ],
    },
    budgets: {
      worker: {
        podDisruptionBudget: { enabled: false },
        strategy: { type: 'Recreate' },
      },
      gateway: { podDisruptionBudget: { maxUnavailable: '50%' } },
      dashboard: { replicas: 2 },
    },
  },
};

export const SWITCHES: Switches = Object.fromEntries(
  Object.entries(CHOICES).map(([name, choices]) => [name, Object.keys(choices)]),
);
/** KEDA cannot ask a gateway that does not run; workers call the simulator or HUBSPOT_BASE_URL. */
const excluded = new Set(['scaling keda gateway off', 'simulator on settings every']);
export const isAllowed = (pair: readonly string[]): boolean => !excluded.has(pair.join(' '));
export const COMBINATIONS: readonly Combination[] = pairwise(SWITCHES, isAllowed);

export const valuesOf = (combination: Combination): Values =>
  Object.entries(combination).reduce<Values>(
    (values, [name, choice]) => merged(values, CHOICES[name]?.[choice] ?? {}),
    {},
  );

function merged(one: Values, other: Values): Values {
  const result: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other))
    result[key] = isMap(result[key]) && isMap(value) ? merged(result[key], value) : value;
  return result;
}

const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
