/** Judges the workers by their reports: who is alive, whether their versions and limits agree. Pure. */
import type { QueueState } from '../../shared/state/queue-state.js';
import { limitsDiffer, smallestLimits } from '../../shared/state/smallest-limits.js';
import type { WorkerReport } from '../../shared/state/worker-reports.js';
import { type Finding, fault, ok, warning } from '../finding.js';

const START = 'start one: association-queue worker';

/** @param ownVersion of this program */
export function judgeWorkers(
  { workers: { alive, vanished }, jobs }: Pick<QueueState, 'workers' | 'jobs'>,
  ownVersion: string,
): Finding[] {
  const found: Finding[] = [];
  const left = jobs.waiting + jobs.active + jobs.delayed;
  if (alive.length === 0)
    found.push(
      left > 0
        ? fault(
            `no worker is alive, and ${left === 1 ? '1 job is' : `${left.toLocaleString('en-US')} jobs are`} queued`,
            START,
          )
        : warning('no worker is alive; nothing is queued', START),
    );
  if (vanished.length > 0)
    found.push(
      warning(
        `${vanished.length} worker${vanished.length === 1 ? '' : 's'} stopped reporting within the last hour without a regular end`,
        'look at their logs and at what restarts them; their jobs come back by themselves',
      ),
    );
  if (alive.length === 0) return found;
  found.push(...differences(alive, ownVersion));
  const names = alive.map(nameOf).slice(0, 5).join(', ');
  const more = alive.length > 5 ? ` and ${alive.length - 5} more` : '';
  if (found.length === 0)
    found.push(ok(`${alive.length} alive (${names}${more}), version ${ownVersion}, with the same limits`));
  return found;
}

function differences(alive: readonly WorkerReport[], ownVersion: string): Finding[] {
  const found: Finding[] = [];
  const versions = distinct(alive, ({ version }) => version);
  if (versions.length > 1)
    found.push(
      warning(
        `the workers have different versions: ${versions.join(', ')}`,
        'nothing during an upgrade; otherwise upgrade the older ones',
      ),
    );
  else if (versions[0] !== ownVersion)
    found.push(
      warning(
        `the workers have version ${versions[0]}, and this program ${ownVersion}`,
        'install the same version everywhere',
      ),
    );
  const apis = distinct(alive, ({ apiVersion }) => apiVersion);
  if (apis.length > 1)
    found.push(
      warning(
        `the workers use different API versions: ${apis.join(', ')}`,
        'set HUBSPOT_API_VERSION to the same on all of them',
      ),
    );
  const limited = alive.flatMap(report =>
    report.limits ? [{ name: nameOf(report), limits: report.limits }] : [],
  );
  const [first, ...others] = limited.map(({ limits }) => limits);
  const differ = first && limitsDiffer(limited, smallestLimits(first, [first, ...others]));
  if (differ) found.push(warning(differ, 'set the same limits on all workers'));
  return found;
}

const nameOf = ({ host, pid }: WorkerReport): string => `${host}:${pid}`;

const distinct = (
  alive: readonly WorkerReport[],
  of: (report: WorkerReport) => string | undefined,
): string[] => [...new Set(alive.flatMap(report => of(report) ?? []))].sort();
