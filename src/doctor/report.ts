/** The findings as text or JSON, and the exit code. Pure. */
import { harmless } from '../shared/runtime/text.js';
import { isNotChecked, type Reported, type Status } from './finding.js';

export type Report = {
  /** the most serious status */
  readonly status: Status;
  /** ISO 8601 */
  readonly at: string;
  /** of this program */
  readonly version: string;
  readonly findings: readonly Reported[];
};

const SERIOUS: readonly Status[] = ['ok', 'warning', 'fault'];

export function reportOf(findings: readonly Reported[], version: string, at: string): Report {
  const status = SERIOUS.findLast(each => findings.some(finding => finding.status === each)) ?? 'ok';
  return { status, at, version, findings };
}

/** Warnings do not fail a deployment that calls doctor; faults do. */
export const exitCodeOf = ({ status }: Report): number => (status === 'fault' ? 1 : 0);

/** A line for each finding, and below it what to do. Checks that were not made for one reason share a line. Without a newline at the end. */
export function reportText({ findings }: Report): string {
  const shown = folded(findings);
  const width = Math.max(0, ...shown.map(({ check }) => check.length));
  const lines = shown.flatMap(({ check, status, message, remedy }) => [
    `${status.padEnd(7)}  ${check.padEnd(width)}  ${harmless(message)}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(9 + width)}  → ${harmless(remedy)}`]),
  ]);
  const of = (status: Status) => findings.filter(finding => finding.status === status).length;
  const [faults, warnings] = [of('fault'), of('warning')];
  const unmade = findings.filter(isNotChecked).length;
  const sum = [
    `${faults} fault${faults === 1 ? '' : 's'}`,
    `${warnings} warning${warnings === 1 ? '' : 's'}${unmade > 0 ? ` (${unmade} not checked)` : ''}`,
    `${of('ok')} ok`,
  ].join(', ');
  return [...lines, '', sum].join('\n');
}

function folded(findings: readonly Reported[]): Reported[] {
  return findings.flatMap((finding, at) => {
    if (!isNotChecked(finding)) return [finding];
    const alike = findings.filter(
      ({ message, remedy }) => message === finding.message && remedy === finding.remedy,
    );
    if (alike.length === 1) return [finding];
    if (findings.indexOf(alike[0] ?? finding) < at) return [];
    const names = alike.map(({ check }) => check).join(', ');
    return [{ ...finding, check: `${alike.length} checks`, message: `${finding.message}: ${names}` }];
  });
}
