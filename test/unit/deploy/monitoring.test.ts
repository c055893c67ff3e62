/** deploy/monitoring: what can be checked without a queue. test/integration/monitoring.test.ts checks that the metrics exist. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { alertRules, dashboard, MONITORING, panelQueries } from '../../support/monitoring.js';
import { promtool, testWithPromtool } from '../../support/promtool.js';

describe('the alerts', () => {
  testWithPromtool('have a configuration and rules that promtool accepts', () => {
    expect(promtool(['check', 'config', `${MONITORING}prometheus.yml`])).toMatchObject({ status: 0 });
  });

  testWithPromtool('fire when they should, and only then, as promtool tests them', () => {
    expect(promtool(['test', 'rules', `${MONITORING}alerts.test.yml`])).toMatchObject({ status: 0 });
  });

  test('say what they mean and what to do', () => {
    const alerts = alertRules().split('- alert: ').slice(1);
    expect(alerts.length).toBeGreaterThanOrEqual(5);
    for (const alert of alerts) expect(alert).toMatch(/summary: [\s\S]*description: /);
  });
});

describe('the Grafana dashboard', () => {
  testWithPromtool('asks in PromQL only', () => {
    const queries = panelQueries();
    expect(queries.length).toBeGreaterThan(20);
    const rules = queries.map((expr, at) => ({ record: `panel:query_${at}`, expr }));
    const directory = mkdtempSync(path.join(tmpdir(), 'association-queue-rules-'));
    const file = path.join(directory, 'rules.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] })); // JSON is YAML
    const { status, output } = promtool(['check', 'rules', file]);
    rmSync(directory, { recursive: true });
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  test('has panels that explain themselves and do not overlap', () => {
    const taken = new Set<string>();
    for (const { title, type, description, gridPos, targets } of dashboard.panels) {
      if (type !== 'row') expect([title, description]).toEqual([title, expect.stringMatching(/\S.*\.$/)]);
      for (const target of targets ?? []) expect(target.datasource.uid).toBe('association-queue');
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
          taken.add(`${x} ${y}`);
        }
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});
