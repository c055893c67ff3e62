/** Composition root of `association-queue doctor`: asks, has the answers judged, prints. Wiring only. */
import { readFileSync } from 'node:fs';
import type { Config, Environment } from '../shared/runtime/config.js';
import { harmlessJson } from '../shared/runtime/text.js';
import { askEverything } from './asked.js';
import { checksOf } from './checks.js';
import { exitCodeOf, reportOf, reportText } from './report.js';
import { runChecks } from './run-checks.js';
import { secretsOf } from './secrets.js';

/** Longest time of a check. All run side by side. */
const BOUND_MS = 15_000;

/** @returns the exit code: 0 without a fault, else 1 */
export async function runDoctor(config: Config, env: Environment, json: boolean): Promise<number> {
  const version = readVersion();
  const asked = askEverything(config, env);
  try {
    const checks = checksOf(asked, { config, version, now: Date.now() });
    const findings = await runChecks(checks, BOUND_MS, secretsOf(config, env));
    const report = reportOf(findings, version, new Date().toISOString());
    const text = json ? harmlessJson(JSON.stringify(report, null, 2)) : reportText(report);
    process.stdout.write(`${text}\n`);
    return exitCodeOf(report);
  } finally {
    asked.close();
  }
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
