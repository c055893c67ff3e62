import { describe, expect, it } from '@jest/globals';
import { judgeWorkers } from '../../../../src/doctor/judge/workers.js';
import type { WorkerReport } from '../../../../src/shared/state/worker-reports.js';

const LIMITS = { limit: 100, windowMs: 10_000, dailyLimit: 500_000, timeZone: 'UTC' };
const worker = (pid: number, more: Partial<WorkerReport> = {}): WorkerReport => ({
  ...{ id: `w${pid}`, version: '0.1.0', host: 'host', pid, startedAt: pid, rssBytes: 1, state: 'idle' },
  ...{ inFlight: 0, maxInFlight: 10, jobs: 0, associations: 0, limits: LIMITS, apiVersion: 'v4' },
  ...more,
});
const none = { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 };
const judge = (alive: WorkerReport[], { waiting = 0, vanished = 0 } = {}) =>
  judgeWorkers(
    {
      workers: {
        alive,
        vanished: Array.from({ length: vanished }, (_, at) => ({ id: `v${at}`, lastSeen: 1 })),
      },
      jobs: { ...none, waiting },
    },
    '0.1.0',
  );

describe('workers', () => {
  it('that agree are ok, by name', () => {
    expect(judge([worker(1), worker(2)])).toEqual([
      { status: 'ok', message: '2 alive (host:1, host:2), version 0.1.0, with the same limits' },
    ]);
  });

  it('that do not exist are a fault while jobs wait', () => {
    expect(judge([], { waiting: 1_200 })).toMatchObject([
      {
        status: 'fault',
        message: 'no worker is alive, and 1,200 jobs are queued',
        remedy: expect.stringMatching(/association-queue worker/),
      },
    ]);
    expect(judge([], { waiting: 1 })).toMatchObject([{ message: 'no worker is alive, and 1 job is queued' }]);
    expect(judge([])).toMatchObject([{ status: 'warning' }]);
  });

  it('that vanished are a warning', () => {
    expect(judge([worker(1)], { vanished: 1 })).toMatchObject([
      { status: 'warning', message: expect.stringMatching(/^1 worker stopped reporting/) },
    ]);
  });

  it('of different versions, limits and API versions are a warning each', () => {
    const found = judge([
      worker(1),
      worker(2, { version: '0.2.0' }),
      worker(3, { limits: { ...LIMITS, limit: 150 } }),
      worker(4, { apiVersion: '2026-09' }),
    ]);
    expect(found.map(({ message }) => message)).toEqual([
      'the workers have different versions: 0.1.0, 0.2.0',
      'the workers use different API versions: 2026-09, v4',
      expect.stringMatching(/RATE_LIMIT_CALLS is 100 \(host:1\), 150 \(host:3\)/),
    ]);
    expect(found.every(({ status }) => status === 'warning')).toBe(true);
  });

  it('of another version than this program are a warning', () => {
    expect(judge([worker(1, { version: '0.0.9' })])).toMatchObject([
      { status: 'warning', message: 'the workers have version 0.0.9, and this program 0.1.0' },
    ]);
  });
});
