/** A queue's state for tests: all defaults, nothing to do. */
import type { Capacity } from '../../src/shared/state/capacity.js';
import type { AccountHold, QueueState } from '../../src/shared/state/queue-state.js';

type Given = Partial<Omit<QueueState, 'quota' | 'capacity' | 'hold'>> & {
  quota?: Partial<QueueState['quota']>;
  hold?: Partial<AccountHold>;
  capacity?: Partial<Omit<Capacity, 'limits'>> & { limits?: Partial<Capacity['limits']> };
};

export function queueStateOf({ quota, capacity, hold, ...given }: Given): QueueState {
  return {
    now: 0,
    jobs: { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 },
    backlogAssociations: 0,
    oldestWaitingSeconds: null,
    nextTryAt: null,
    totals: {
      created: 0,
      rejected: 0,
      cancelled: 0,
      retried: 0,
      discarded: 0,
      calls: 0,
      callsRateLimited: 0,
      callsFailed: 0,
      batches: 0,
      inputs: 0,
    },
    quota: {
      limit: 100,
      windowMs: 10_000,
      usedInWindow: 0,
      dailyLimit: 500_000,
      usedToday: 0,
      leftToday: 500_000,
      msUntilReset: 3_600_000,
      ...quota,
    },
    hold: hold ? { kind: 'auth', reason: '', since: null, until: 0, ...hold } : null,
    heldPairs: [],
    paused: null,
    workers: { alive: [], vanished: [] },
    ...given,
    capacity: {
      callMs: undefined,
      busyMs: undefined,
      ...capacity,
      limits: {
        limit: 100,
        windowMs: 10_000,
        dailyLimit: 500_000,
        timeZone: 'UTC',
        batchMaxInputs: 2_000,
        maxConcurrentCalls: 10,
        ...capacity?.limits,
      },
    },
  };
}
