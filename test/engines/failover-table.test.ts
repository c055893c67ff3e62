/**
 * What is acknowledged and lost when Sentinels replace the primary, with and without REDIS_WAIT_REPLICAS: the table on
 * docs/operations/backup.md. Each case starts six servers and a gateway, and takes 40 s. FAILOVER_TABLE=all tries all of them.
 */
import { afterAll, expect, it } from '@jest/globals';
import { type Case, measure, type Outcome, workThrough } from '../support/failover.js';

/** A loss is a race: more rounds meet more of it. */
const ROUNDS = Number(process.env.FAILOVER_ROUNDS ?? 1);
/** The whole table takes a quarter of an hour. */
const IS_WHOLE = process.env.FAILOVER_TABLE === 'all';
const FEW: readonly Case[] = [
  { how: 'planned', minReplicas: 1, wait: 0 },
  { how: 'planned', minReplicas: 1, wait: 2 },
  { how: 'planned, writes paused', minReplicas: 1, wait: 1 },
  { how: 'kill -9', minReplicas: 1, wait: 1 },
  { how: 'kill -9, replicas cut off', minReplicas: 0, wait: 1 },
];
const HOW = ['planned', 'planned, writes paused', 'kill -9', 'kill -9, replicas cut off'] as const;
const SERVERS = [0, 1, 2].flatMap(wait => [0, 1].map(minReplicas => ({ minReplicas, wait })));
const WHOLE: readonly Case[] = HOW.flatMap(how => SERVERS.map(servers => ({ how, ...servers })));
const rows: string[] = [];

afterAll(() => {
  const head = ['failover', 'min-replicas-to-write', 'REDIS_WAIT_REPLICAS', 'gateway', 'library'];
  const table = [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows];
  process.stdout.write(`acknowledged / refused / lost\n${table.join('\n')}\n`);
});

const text = ({ acknowledged, refused, lost }: Outcome['gateway']) =>
  `${acknowledged} / ${refused} / **${lost}**`;

/**
 * All replicas have it, so any of them may be chosen; or the primary writes nothing meanwhile; or it is dead, and Sentinel chooses
 * the replica that has most.
 */
const losesNothing = ({ how, wait }: Case): boolean =>
  wait === 2 || how === 'planned, writes paused' || (wait === 1 && how !== 'planned');

it.each(IS_WHOLE ? WHOLE : FEW)(
  '$how, min-replicas-to-write $minReplicas, REDIS_WAIT_REPLICAS $wait',
  async one => {
    for (let round = 0; round < ROUNDS; round++) {
      const { gateway, library } = await measure(one);
      rows.push(`| ${one.how} | ${one.minReplicas} | ${one.wait} | ${text(gateway)} | ${text(library)} |`);
      for (const { acknowledged, reasons } of [gateway, library])
        expect({ isEnough: acknowledged > 100, reasons }).toEqual({ isEnough: true, reasons });
      if (losesNothing(one)) expect([gateway.lost, library.lost]).toEqual([0, 0]);
    }
  },
);

it.each(['planned', 'kill -9'] as const)(
  'what a worker did and a failover (%s) lost is done again, and counts once',
  async how => {
    const { totals, ofRequests, accepted, atHubSpot, sentTwice } = await workThrough(how);
    rows.push(
      `a worker (${how}): ${totals} counted, ${atHubSpot} created at HubSpot, ${sentTwice} sent twice`,
    );
    expect([totals, ofRequests]).toEqual([accepted, accepted]);
    expect(atHubSpot).toBeGreaterThanOrEqual(totals);
    expect(totals).toBeGreaterThan(100);
  },
);
