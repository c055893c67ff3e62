/**
 * How many workers would still raise throughput: the signal to scale on. Pure; the formula and its reasons are in
 * docs/decisions/0010-useful-replicas.md.
 */
import type { QueueState } from './queue-state.js';

/** Until one is measured: HubSpot answers a full batch within about this time. */
const USUAL_CALL_MS = 1_000;
/** All batches of a replica go through one thread; busier than this, calls begin to wait for it. */
const BUSY_SHARE = 0.8;
/** A hold of a fixed length that is about to end is no reason to send workers away. */
const SHORT_HOLD_MS = 120_000;

export function usefulReplicas(state: QueueState): number {
  const { backlogAssociations, quota, hold, paused, capacity } = state;
  if (backlogAssociations <= 0 || paused) return 0;
  if (hold) {
    // growing pauses end with a probe, which somebody must send; nobody can shorten the others
    const endsByProbe = ['auth', 'account', 'unavailable'].includes(hold.kind);
    if (endsByProbe) return 1;
    if (hold.forMs > SHORT_HOLD_MS) return 0;
  }
  const { batchMaxInputs, maxConcurrentCalls } = capacity.limits;
  const callsToMake = Math.min(Math.ceil(backlogAssociations / batchMaxInputs), quota.leftToday);
  // one that never has all of its calls in flight leaves another one nothing to do
  const byBacklog = Math.ceil(callsToMake / maxConcurrentCalls);
  const byQuota = Math.ceil(quota.limit / (quota.windowMs / 1_000) / callsPerSecond(capacity));
  return Math.max(1, Math.min(byBacklog, byQuota));
}

/** What one replica can do: all its calls in flight all the time, as far as its thread keeps up. */
export function callsPerSecond({ limits, callMs = USUAL_CALL_MS, busyMs }: QueueState['capacity']): number {
  const byCalls = (limits.maxConcurrentCalls * 1_000) / callMs;
  return busyMs === undefined ? byCalls : Math.min(byCalls, (BUSY_SHARE * 1_000) / busyMs);
}
