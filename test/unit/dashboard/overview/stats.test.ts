/** The figures of `stats`: isolation, summed over the workers. */
import { expect, test } from '@jest/globals';
import { isolationOf, type Stats, statsOf } from '../../../../src/dashboard/overview/stats.js';
import type { SearchReport, WorkerReport } from '../../../../src/shared/state/worker-reports.js';
import { queueStateOf } from '../../../support/queue-state.js';

const now = Date.parse('2026-03-01T12:00:00Z');

test.each<[string, (SearchReport | undefined)[], Stats['isolation']]>([
  ['nobody', [], { inputs: 0, invalid: 0, callShare: 0 }],
  [
    'two replicas, and one of a version that does not say',
    [
      { inputs: 3_000, invalid: 600, calls: 100, suspectCalls: 50 },
      { inputs: 1_000, invalid: 10, calls: 50, suspectCalls: 10 },
      undefined,
    ],
    { inputs: 4_000, invalid: 610, callShare: 0.4 },
  ],
  [
    'a search that has ended',
    [{ inputs: 0, invalid: 0, calls: 100, suspectCalls: 50 }],
    { inputs: 0, invalid: 0, callShare: 0 },
  ],
  [
    'no call yet',
    [{ inputs: 5, invalid: 0, calls: 0, suspectCalls: 0 }],
    { inputs: 5, invalid: 0, callShare: 0 },
  ],
])('the isolation of stats is the sum over the living workers: %s', (_, searches, isolation) => {
  const worker: WorkerReport = {
    ...{ id: '1', version: '0.1.0', host: 'h', pid: 1, startedAt: now, rssBytes: 1e8 },
    ...{ state: 'sending', inFlight: 8, maxInFlight: 10, jobs: 20, associations: 10_000 },
  };
  expect(isolationOf(searches.map(search => ({ ...worker, ...(search && { search }) })))).toEqual(isolation);
});

test('workers that are alive and those that have vanished are counted, with the time of the last one', () => {
  const vanished = [now - 60_000, now - 12_000].map((lastSeen, at) => ({ id: String(at), lastSeen }));
  const about = {
    version: '0.1.0',
    host: 'h',
    pid: 1,
    startedAt: now,
    rssBytes: 1e8,
    inFlight: 0,
    maxInFlight: 10,
  };
  const alive = (['sending', 'standby', 'standby'] as const).map((state, at) => ({
    ...about,
    ...{ id: String(at), state, jobs: 0, associations: 0 },
  }));
  const state = queueStateOf({ now, workers: { alive, vanished } });
  expect(statsOf('default', state).workers).toEqual({
    alive: 3,
    standby: 2,
    vanished: 2,
    lastVanishedAt: '2026-03-01T11:59:48.000Z',
  });
});
