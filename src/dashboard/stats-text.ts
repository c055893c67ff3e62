/** A snapshot as people read it: one sentence that says how things stand, then the numbers. Pure. */
import { aligned, count, counted, duration, mean, moment } from './figures.js';
import type { Snapshot } from './stats.js';

/** The whole answer of `association-queue stats`, without a newline at the end. */
export function statsText(snapshot: Snapshot, place: string): string {
  const { stats, heldPairs, now } = snapshot;
  const { jobs, associations, calls, batches, quota } = stats;
  const rows = [
    ['associations', 'created', count(associations.created), ''],
    [
      '',
      'rejected',
      count(associations.rejected),
      jobs.failed > 0 ? 'see: association-queue failures list' : '',
    ],
    ['', 'retried', count(associations.retried), ''],
    ['jobs', 'waiting', count(jobs.waiting), oldest(stats.oldestWaitingSeconds)],
    ['', 'active', count(jobs.active), ''],
    ['', 'delayed', count(jobs.delayed), jobs.delayed > 0 ? 'come back for another attempt' : ''],
    ['', 'failed', count(jobs.failed), jobs.failed > 0 ? 'hold the rejected associations' : ''],
    [
      '',
      'completed',
      count(jobs.completed),
      jobs.completed > 0 ? 'the latest ones; older ones are removed' : '',
    ],
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
    stateSentence(snapshot),
    '',
    ...aligned(rows, new Set([2])),
    ...(held.length > 0 ? ['', 'held object pairs (their associations wait; nothing is lost)', ...held] : []),
  ].join('\n');
}

/** One line for a pipe or a log: time, state, totals. */
export function statsLine({ stats, ...rest }: Snapshot): string {
  const { jobs, associations, calls, quota } = stats;
  return [
    new Date(rest.now).toISOString(),
    `created ${associations.created} rejected ${associations.rejected} retried ${associations.retried}`,
    `waiting ${jobs.waiting} active ${jobs.active} delayed ${jobs.delayed} failed ${jobs.failed}`,
    `calls ${calls.total} in-window ${quota.usedInWindow}/${quota.limit}`,
    stateSentence({ stats, ...rest }),
  ].join('  ');
}

/** How things stand, in one sentence; the first that applies. */
export function stateSentence({ stats, paused, now }: Snapshot): string {
  const { jobs, quota } = stats;
  const waiting = counted(jobs.waiting, 'job');
  if (quota.heldUntil !== null) {
    const until = Date.parse(quota.heldUntil);
    return `held until ${moment(until)} (in ${duration((until - now) / 1_000)}): ${quota.holdReason ?? 'no reason given'}; nothing is lost`;
  }
  if (paused)
    return `paused by an operator, ${waiting} waiting: resume the queue in a BullMQ dashboard; nothing is lost`;
  if (jobs.active > 0)
    return `flowing: ${counted(jobs.active, 'job')} in work, ${count(jobs.waiting)} waiting`;
  if (jobs.waiting > 0)
    return `waiting: ${waiting}, none in work: is a worker running? (association-queue worker)`;
  if (jobs.delayed > 0)
    return `pausing: ${counted(jobs.delayed, 'job')} to be tried again, nothing else to do`;
  return 'idle: nothing to do';
}

const oldest = (seconds: number | null): string =>
  seconds === null ? '' : `next in line was enqueued ${duration(seconds)} ago`;
