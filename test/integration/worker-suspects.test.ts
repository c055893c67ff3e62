/** A search for invalid inputs does not stop other associations: real worker, real Redis, HubSpot's limit. */
import { expect, it } from '@jest/globals';
import { withQueue } from '../../src/dashboard/connection.js';
import { readStats } from '../../src/dashboard/overview/stats.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { eventually } from '../support/eventually.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';

const rig = useRig(import.meta.url);

const LINGER_MS = 250;
const OTHERS = {
  fromObjectType: 'deals',
  toObjectType: 'contacts',
  types: [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 3 }],
};

it('a single association of another object pair is created while ten batches are searched for invalid inputs', async () => {
  const limit = { RATE_LIMIT_CALLS: '30', RATE_LIMIT_WINDOW_MS: '3000' };
  await rig.start({ env: limit });
  const pairs = goodPairs(20_000);
  const unnamed = pairs.filter((_, at) => at % 40 === 0).map(([from]) => from);
  rig.simulator.script({ kind: 'refuse', named: false, ids: unnamed, rate: 1 });
  await rig.enqueue(pairs, 500);
  const worker = rig.startWorker();
  const { ledger } = rig.simulator;
  await eventually(() => expect(ledger.calls.length).toBeGreaterThan(15));
  const before = ledger.calls.length;
  const [single] = goodPairs(1, 300_000_001);
  await rig.enqueue(single ? [single] : [], 1, OTHERS);
  const [from = '', to = ''] = single ?? [];
  await eventually(() => expect(ledger.has('deals', 'contacts', from, to)).toBe(true));
  // in calls, not in time: no machine is too slow for it. Linger and its turn are some; a slot came after 240 and more
  const lingered = Math.ceil(LINGER_MS / 100);
  expect(ledger.calls.length - before).toBeLessThanOrEqual(lingered + 20);
  // what `stats` prints
  const config = parseConfig({ REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix });
  await withQueue(config, access =>
    eventually(async () => {
      const { inputs, invalid, callShare } = (await readStats(access, config)).stats.isolation;
      expect(inputs).toBeGreaterThan(0);
      expect(invalid).toBeLessThanOrEqual(unnamed.length);
      expect(callShare).toBeGreaterThan(0);
    }),
  );
  // its searches would go on for minutes
  await worker.end('SIGKILL');
});
