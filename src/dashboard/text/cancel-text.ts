/** What `requests cancel` says: how far it is, why it waits, what is left and how to go on. Pure. */

import { shellWord } from '../../shared/runtime/text.js';
import type { CancelProgress } from '../../shared/state/cancel-request.js';
import { count, counted } from './figures.js';

export type CancelEnd = CancelProgress & {
  readonly id: string;
  /** somebody has ended the command early */
  readonly isCutShort: boolean;
  /** associations: `ours` that this command has listed, `listed` by all commands, `left` that none has listed */
  readonly list?: {
    readonly path: string;
    readonly ours: number;
    readonly listed: number;
    readonly left: number;
    /** why the file cannot be written any more */
    readonly problem?: string;
  };
};

const associations = (value: number): string => counted(value, 'association');

/** @param sentence why work stands still, '' if it flows */
export function cancelProgressText(
  { cancelled, queued, active = 0 }: CancelProgress,
  sentence: string,
): string {
  const jobs = counted(active, 'job');
  const why =
    active > 0
      ? `workers have ${jobs} of it: these end with HubSpot's answers, or, if a worker was killed, when another one requeues them after their locks (JOB_LOCK_MS)`
      : '';
  const about = queued > 0 ? [why, sentence].filter(Boolean).join('. ') : '';
  return `cancelled ${count(cancelled)}, ${count(queued)} left${about && `: ${about}`}`;
}

/** Lines for a person, after the result: none if everything is cancelled, and listed by this command. */
export function cancelEndText({ id, cancelled, queued, isCutShort, list }: CancelEnd): string[] {
  return [...(list ? listText(id, cancelled, list) : []), ...leftText(queued, isCutShort)];
}

function leftText(queued: number, isCutShort: boolean): string[] {
  if (queued === 0) return [];
  return isCutShort
    ? [`${associations(queued)} left: the workers take them back`]
    : [
        `${associations(queued)} left that the queue does not have: another client has removed their jobs, or they are in the failed set`,
      ];
}

function listText(
  id: string,
  cancelled: number,
  { path, ours, listed, left, problem }: NonNullable<CancelEnd['list']>,
): string[] {
  const others = listed - ours;
  const never = cancelled - listed - left;
  const again = `association-queue requests cancel ${id} --list`;
  return [
    ...(problem === undefined
      ? []
      : [`${path} cannot be written: ${problem}; the cancel went on without it`]),
    ...(others > 0 || never > 0 ? [`${path} got ${associations(ours)} from this command`] : []),
    ...(others > 0 ? [`${associations(others)} listed by other commands`] : []),
    ...(never > 0 ? [`${associations(never)} taken back before anybody asked for a list`] : []),
    ...(left > 0
      ? [
          `${associations(left)} in no list yet, kept as long as the request: ${again} ${problem === undefined ? shellWord(path) : 'ANOTHER.ndjson'}`,
        ]
      : []),
  ];
}
