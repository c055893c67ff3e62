/** The queries and metrics of deploy/monitoring, read from its files. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const MONITORING = fileURLToPath(new URL('../../deploy/monitoring/', import.meta.url));
const read = (file: string) => readFileSync(MONITORING + file, 'utf8');

export type Panel = {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
};
export const dashboard = JSON.parse(read('grafana/dashboards/association-queue.json')) as {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
};

/** PromQL of every panel, with Grafana's variables filled in. */
export const panelQueries = (): string[] =>
  dashboard.panels.flatMap(({ targets }) =>
    (targets ?? []).map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
  );

/** The names of metrics in a text of PromQL or YAML. */
export const metricsIn = (text: string): Set<string> =>
  new Set(text.match(/\b(association|process|nodejs)_[a-z0-9_]+\b/g));

export const alertRules = (): string => read('alerts.yml');

/** name → its series: `association_held` → [`{kind="auth"} 0`, …] */
export function seriesOf(scrape: string): Map<string, string[]> {
  const series = new Map<string, string[]>();
  for (const line of scrape.split('\n')) {
    const [, name, rest] = /^([a-z_]+)(.*)$/.exec(line) ?? [];
    if (name) series.set(name, [...(series.get(name) ?? []), rest ?? '']);
  }
  return series;
}
