/** The Helm chart, rendered by the real helm, and what its containers start. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from './kubernetes-schemas.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CHART = path.join(ROOT, 'deploy/helm/association-queue');

export const { chartTools } = (await import(`${ROOT}/scripts/chart-tools.mjs`)) as {
  chartTools(): { helm: string; kubectl: string };
};

export type Values = Readonly<Record<string, unknown>>;
type Variable = { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } };
type Probe = { httpGet?: { path: string; port: string }; tcpSocket?: { port: string } };
export type Container = {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: readonly Variable[];
  readonly ports: readonly { name: string; containerPort: number }[];
  readonly volumeMounts: readonly { name: string; mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: { preStop: { sleep: { seconds: number } } };
};
export type PodSpec = {
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    name: string;
    projected?: { sources: { secret: { name: string; items: { key: string; path: string }[] } }[] };
  }[];
  readonly terminationGracePeriodSeconds: number;
  readonly [field: string]: unknown;
};
export type Deployment = KubernetesObject & {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: { readonly metadata: { labels: Record<string, string> }; readonly spec: PodSpec };
  };
};

/** Runs helm. Values go over stdin, so that nothing is written. */
export function helm(args: readonly string[], values: Values = {}) {
  const { status, stdout, stderr } = spawnSync(chartTools().helm, [...args, '--values', '-'], {
    encoding: 'utf8',
    input: JSON.stringify(values),
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

/** @throws Error with what helm said */
export function render(values: Values, ...args: readonly string[]): KubernetesObject[] {
  const { status, stdout, stderr } = helm(['template', 'try', CHART, '--namespace', 'shop', ...args], values);
  if (status !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

export const objectsOf = (text: string): KubernetesObject[] =>
  parseAllDocuments(text).flatMap(document => {
    if (document.errors.length > 0) throw document.errors[0];
    return (document.toJSON() as KubernetesObject | null) ?? [];
  });

export const deploymentsOf = (objects: readonly KubernetesObject[]): Deployment[] =>
  objects.filter((object): object is Deployment => object.kind === 'Deployment');
