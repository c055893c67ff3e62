/** What holds of the scaling signal, whatever the queue, the quota and the machine are like. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { QueueState } from '../../src/shared/state/queue-state.js';
import { callsPerSecond, usefulReplicas } from '../../src/shared/state/useful-replicas.js';
import { queueStateOf } from '../support/queue-state.js';

const backlog = fc.integer({ min: 1, max: 1e9 });
const states = fc
  .record({
    backlogAssociations: backlog,
    limit: fc.integer({ min: 1, max: 100_000 }),
    windowMs: fc.integer({ min: 100, max: 3_600_000 }),
    leftToday: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 1e6 })),
    callMs: fc.option(fc.double({ min: 0.1, max: 30_000, noNaN: true }), { nil: undefined }),
    busyMs: fc.option(fc.double({ min: 0.01, max: 5_000, noNaN: true }), { nil: undefined }),
    maxConcurrentCalls: fc.integer({ min: 1, max: 100 }),
    batchMaxInputs: fc.integer({ min: 1, max: 2_000 }),
  })
  .map(({ backlogAssociations, limit, windowMs, leftToday, callMs, busyMs, ...limits }) =>
    queueStateOf({
      backlogAssociations,
      quota: { limit, windowMs, leftToday },
      capacity: { callMs, busyMs, limits },
    }),
  );
const quotaPerSecond = ({ quota }: QueueState) => quota.limit / (quota.windowMs / 1_000);

test('the number of useful replicas is whole, and leaves no work without a worker', () => {
  fc.assert(
    fc.property(states, state => {
      const replicas = usefulReplicas(state);
      expect(Number.isSafeInteger(replicas)).toBe(true);
      expect(replicas).toBeGreaterThanOrEqual(1);
    }),
  );
});

test('the last useful replica raises throughput: without it the quota or the backlog would have room', () => {
  fc.assert(
    fc.property(states, state => {
      const fewer = usefulReplicas(state) - 1;
      if (fewer === 0) return;
      expect(fewer * callsPerSecond(state.capacity)).toBeLessThan(quotaPerSecond(state) * (1 + 1e-9));
      expect(
        fewer * state.capacity.limits.maxConcurrentCalls * state.capacity.limits.batchMaxInputs,
      ).toBeLessThan(state.backlogAssociations);
    }),
  );
});

test('the useful replicas are enough: they use up the quota, or have all that is left in flight', () => {
  fc.assert(
    fc.property(states, state => {
      const replicas = usefulReplicas(state);
      const { batchMaxInputs, maxConcurrentCalls } = state.capacity.limits;
      const calls = Math.min(Math.ceil(state.backlogAssociations / batchMaxInputs), state.quota.leftToday);
      const usesTheQuota = replicas * callsPerSecond(state.capacity) >= quotaPerSecond(state) * (1 - 1e-9);
      expect(usesTheQuota || replicas * maxConcurrentCalls >= calls).toBe(true);
    }),
  );
});

test('the number of useful replicas never falls when there is more to do', () => {
  fc.assert(
    fc.property(states, backlog, (state, more) => {
      const larger = { ...state, backlogAssociations: state.backlogAssociations + more };
      expect(usefulReplicas(larger)).toBeGreaterThanOrEqual(usefulReplicas(state));
    }),
  );
});
