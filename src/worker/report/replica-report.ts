/** Builds the report of this replica, which heartbeat.ts writes every two seconds. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Limits } from '../../shared/state/capacity.js';
import { accountLimits } from '../../shared/state/smallest-limits.js';
import type { WorkerReport } from '../../shared/state/worker-reports.js';
import { stateOf } from './heartbeat.js';
import type { PipelineState } from './pipeline-state.js';

/**
 * @param id unique id of this replica
 * @param limits the limits in its configuration
 * @param apiVersion HUBSPOT_API_VERSION
 * @param pipeline returns the current content of the pipeline
 */
export function replicaReport(
  id: string,
  limits: Limits,
  apiVersion: string,
  pipeline: () => PipelineState,
): () => WorkerReport {
  const packageJson = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(packageJson) as { version: string };
  const about = { id, version, host: hostname(), pid: process.pid, startedAt: Date.now() };
  return () => {
    const now = pipeline();
    const { inFlight, jobs, associations, search } = now;
    return {
      ...about,
      rssBytes: process.memoryUsage.rss(),
      state: stateOf(now),
      inFlight,
      maxInFlight: limits.maxConcurrentCalls,
      ...{ jobs, associations },
      limits: accountLimits(limits),
      apiVersion,
      search,
    };
  };
}
