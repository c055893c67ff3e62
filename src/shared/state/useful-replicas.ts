/**
 * Computes how many workers would still raise throughput: the signal for autoscaling. Pure. The formula and its reasons
 * are in docs/decisions/0010-useful-replicas.md.
 */
import type { QueueState } from './queue-state.js';

/** Assumed duration of a call until one is measured: HubSpot answers a full batch in about this time. */
const USUAL_CALL_MS = 1_000;
/** One thread handles all batches of a replica; if it is busier than this, calls wait for it. */
const BUSY_SHARE = 0.8;
/** A fixed hold that ends within this time is no reason to scale down. */
const SHORT_HOLD_MS = 120_000;

export function usefulReplicas(state: QueueState): number {
  const { now, backlogAssociations, quota, hold, paused, capacity } = state;
  if (backlogAssociations <= 0 || paused) return 0;
  if (hold) {
    // growing pauses end with a probe, which one worker must send; no worker can shorten other holds
    const endsByProbe = ['auth', 'account', 'unavailable'].includes(hold.kind);
    if (endsByProbe) return 1;
    if (hold.until - now > SHORT_HOLD_MS) return 0;
  }
  const { batchMaxInputs, maxConcurrentCalls } = capacity.limits;
  const callsToMake = Math.min(Math.ceil(backlogAssociations / batchMaxInputs), quota.leftToday);
  // a replica that never has all its calls in flight leaves nothing for a further replica
  const byBacklog = Math.ceil(callsToMake / maxConcurrentCalls);
  const byQuota = Math.ceil(quota.limit / (quota.windowMs / 1_000) / callsPerSecond(capacity));
  return Math.max(1, Math.min(byBacklog, byQuota));
}

/** @returns the calls per second of one replica that always has all its calls in flight, as far as its thread keeps up */
export function callsPerSecond({ limits, callMs = USUAL_CALL_MS, busyMs }: QueueState['capacity']): number {
  const byCalls = (limits.maxConcurrentCalls * 1_000) / callMs;
  return busyMs === undefined ? byCalls : Math.min(byCalls, (BUSY_SHARE * 1_000) / busyMs);
}
