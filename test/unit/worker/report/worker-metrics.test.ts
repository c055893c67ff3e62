/** Label values are bounded, and every association of a settlement is counted once. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ErrorContext, JobData } from '../../../../src/shared/contract/association.js';
import { readCapacity, writeCapacity } from '../../../../src/shared/state/capacity.js';
import { categoryLabel, errorsOf, statusLabel } from '../../../../src/worker/report/metric-labels.js';
import { addPipelineMetrics, createWorkerMetrics } from '../../../../src/worker/report/worker-metrics.js';
import { queueStateOf } from '../../../support/queue-state.js';
import { contactsToCompanies } from '../../../support/samples.js';

describe('the labels of metrics', () => {
  test("are HubSpot's words where these are known", () => {
    expect(categoryLabel('OBJECT_NOT_FOUND')).toBe('OBJECT_NOT_FOUND');
    expect(categoryLabel(undefined)).toBe('none');
    expect(statusLabel('477')).toBe('477');
    expect(statusLabel('TIMEOUT')).toBe('TIMEOUT');
  });

  test('are few, whatever HubSpot says', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.string(), fc.integer(), (category, status) => {
        seen.add(categoryLabel(category)).add(statusLabel(String(status)));
      }),
      { numRuns: 5_000 },
    );
    expect(seen).toContain('other');
    expect(seen.size).toBeLessThan(40);
  });
});

const IDLE = {
  ...{ isRunning: true, isStopping: false, isHeld: false, isStandby: false, isStretched: false },
  ...{ jobs: 0, associations: 0, unbatched: 0, inFlight: 0 },
  fetching: { ms: 0, error: undefined },
};

test.each([
  [{ inputs: 4_000, invalid: 3, calls: 100, suspectCalls: 40 }, 4_000, 0.4],
  [{ inputs: 0, invalid: 0, calls: 100, suspectCalls: 40 }, 0, 0],
  [{ inputs: 9, invalid: 0, calls: 0, suspectCalls: 0 }, 9, 0],
])('the metrics show what searching for invalid inputs costs: %j', async (search, inputs, ratio) => {
  const { registry } = createWorkerMetrics();
  addPipelineMetrics(registry, () => ({ ...IDLE, search }), 'not known');
  const text = await registry.metrics();
  expect(text).toContain(`association_worker_suspect_inputs ${inputs}\n`);
  expect(text).toContain(`association_worker_suspect_calls_ratio ${ratio}\n`);
  expect(text).toContain('association_worker_bullmq_known 0\n');
});

describe('a settlement by category', () => {
  const error = (category: string | undefined, pairs: number, attempt = 1): ErrorContext => ({
    at: '2026-03-01T12:00:00.000Z',
    attempt,
    message: 'no',
    pairs,
    ...(category && { category }),
  });
  const entry = (data: Partial<JobData>, rejected: number, retried: number) => ({
    jobId: '1',
    token: 't',
    data: { ...contactsToCompanies, pairs: [], ...data },
    created: 0,
    rejected,
    retried,
  });

  test('only what is new: earlier rejections and errors of the job were counted before', () => {
    const rejected = [error('VALIDATION_ERROR', 5), error('OBJECT_NOT_FOUND', 2), error(undefined, 1)];
    const errors = [error('TIMEOUT', 9), error('CONNECTION_ERROR', 4, 2)];
    expect(
      errorsOf(entry({ rejected: rejected.map(one => ({ error: one, pairs: [] })), errors }, 3, 4)),
    ).toEqual({
      rejected: [
        ['none', 1],
        ['OBJECT_NOT_FOUND', 2],
      ],
      retried: [['CONNECTION_ERROR', 4]],
    });
  });

  test('a job keeps its last ten errors: the others are still counted', () => {
    const errors = Array.from({ length: 10 }, () => error('TIMEOUT', 1));
    const { retried } = errorsOf(entry({ errors }, 0, 12));
    expect(retried.reduce((sum, [, pairs]) => sum + pairs, 0)).toBe(12);
  });

  test('everything created: nothing', () => {
    expect(errorsOf({ ...entry({}, 0, 0), data: undefined })).toEqual({ rejected: [], retried: [] });
  });
});

test('what a worker says of its capacity is read as it was written; what is odd or missing is as configured', () => {
  const { capacity } = queueStateOf({
    capacity: { callMs: 312.5, busyMs: 12, limits: { dailyLimit: 0, limit: 190 } },
  });
  const other = queueStateOf({}).capacity.limits;
  const written = new Map(
    Object.entries(writeCapacity(capacity)).map(([name, value]) => [name, String(value)]),
  );
  expect(readCapacity(written, other)).toEqual(capacity);
  expect(readCapacity(new Map([['limit', 'many']]), other)).toEqual({
    limits: other,
    callMs: undefined,
    busyMs: undefined,
  });
});
