/** A snapshot as people read it: one sentence that says how things stand, then the numbers. Pure. */
import type { ServerFacts } from '../../shared/runtime/redis-facts.js';
import { harmless } from '../../shared/runtime/text.js';
import type { QueueState } from '../../shared/state/queue-state.js';
import type { Stats } from '../overview/stats.js';
import { wrap } from '../terminal/glyphs.js';
import { aligned, clockAt, count, counted, duration, mean, moment } from './figures.js';
import { redisNotices } from './redis-notices.js';
import { type StateFigures, stateSentence } from './state-sentence.js';

/** As state-reader.ts reads it. */
type StatsReading = {
  readonly queueState: Pick<QueueState, 'now' | 'heldPairs'>;
  readonly stats: Stats;
  readonly state: StateFigures;
  readonly server: ServerFacts | undefined;
};

/**
 * The whole output of `association-queue stats`, without a newline at the end.
 * @param columns width of the terminal, to which the sentence is wrapped; undefined without a terminal
 */
export function statsText(
  { queueState, stats, state, server }: StatsReading,
  place: string,
  columns?: number,
): string {
  const { heldPairs, now } = queueState;
  const { jobs, associations, calls, batches, quota } = stats;
  const rows = [
    ['associations', 'created', count(associations.created), ''],
    [
      '',
      'rejected',
      count(associations.rejected),
      jobs.failed > 0 ? 'see: association-queue failures list' : '',
    ],
    ...(associations.cancelled > 0 ? [['', 'cancelled', count(associations.cancelled), '']] : []),
    ['', 'retried', count(associations.retried), ''],
    ['workers', 'alive', count(stats.workers.alive), others(stats.workers, now)],
    ['jobs', 'waiting', count(jobs.waiting), oldest(stats.oldestWaitingSeconds)],
    ['', 'active', count(jobs.active), ''],
    ['', 'delayed', count(jobs.delayed), jobs.delayed > 0 ? 'come back for another attempt' : ''],
    ['', 'failed', count(jobs.failed), jobs.failed > 0 ? 'hold the rejected associations' : ''],
    ['', 'completed', count(jobs.completed), jobs.completed > 0 ? 'the latest 1,000 are kept' : ''],
    ['calls', 'sent', count(calls.total), ''],
    ['', 'rate limited', count(calls.rateLimited), ''],
    ['', 'failed', count(calls.failed), ''],
    ['batches', 'sent', count(batches.sent), ''],
    ['', 'mean inputs', mean(batches.meanInputs), ''],
    [
      'quota',
      'in window',
      count(quota.usedInWindow),
      `of ${counted(quota.limit, 'call')} per ${duration(quota.windowMs / 1_000)}`,
    ],
    [
      '',
      'today',
      count(quota.usedToday),
      quota.dailyLimit > 0 ? `of ${counted(quota.dailyLimit, 'call')}` : 'no daily limit',
    ],
  ];
  const held = heldPairs.map(
    ({ objectPair, until, reason }) =>
      `  ${objectPair}: until ${moment(until)} (in ${duration((until - now) / 1_000)}): ${reason}`,
  );
  return [
    `account ${stats.account} at ${place}`,
    ...[sentence(state), ...redisNotices(server)].flatMap(text =>
      columns === undefined ? [text] : wrap(text, columns),
    ),
    '',
    ...aligned(rows, new Set([2])),
    ...(held.length > 0 ? ['', 'held object pairs (their associations wait; nothing is lost)', ...held] : []),
  ]
    .map(harmless)
    .join('\n');
}

/** One line for a pipe or a log: time, state, totals. */
export function statsLine({ queueState: { now }, stats, state }: StatsReading): string {
  const { jobs, associations, calls, quota } = stats;
  return [
    new Date(now).toISOString(),
    `created ${associations.created} rejected ${associations.rejected} retried ${associations.retried}`,
    `waiting ${jobs.waiting} active ${jobs.active} delayed ${jobs.delayed} failed ${jobs.failed}`,
    `calls ${calls.total} in-window ${quota.usedInWindow}/${quota.limit}`,
    sentence(state),
  ].join('  ');
}

/** The same sentence as on the page. */
const sentence = (state: StateFigures): string => harmless(stateSentence(state, clockAt(state.now)).text);

/** How many of the workers stand by, and how many have vanished. */
function others({ standby, vanished, lastVanishedAt }: Stats['workers'], now: number): string {
  const standing = standby === 0 ? [] : [`${count(standby)} of them on standby`];
  if (lastVanishedAt === null) return standing.join();
  const ago = duration((now - Date.parse(lastVanishedAt)) / 1_000);
  const gone = `${count(vanished)} vanished${vanished === 1 ? '' : ', the latest'} ${ago} ago`;
  return [...standing, gone].join('; ');
}

const oldest = (seconds: number | null): string =>
  seconds === null ? '' : `next in line was enqueued ${duration(seconds)} ago`;
