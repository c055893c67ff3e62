/** Describes the number of rejections. Pure; runs in the terminal and in the page. */

type Held = { category: string; associations: number; jobs: number };

/** A job with unreadable data has no countable associations (shared/state/rejection-groups.ts). */
const isUnreadable = ({ category, associations }: Held): boolean =>
  category === 'INVALID_JOB' && associations === 0;
const counted = (n: number, one: string): string =>
  `${n.toLocaleString('en-US')} ${one}${n === 1 ? '' : 's'}`;
const unreadable = (jobs: number): string => `${counted(jobs, 'job')} whose data cannot be read`;

/** `312 associations`, or `7 jobs whose data cannot be read`. */
export const heldText = (held: Held): string =>
  isUnreadable(held) ? unreadable(held.jobs) : counted(held.associations, 'association');

/** Only the number, for a column of associations. */
export const sizeText = (held: Held): string =>
  isUnreadable(held) ? '–' : held.associations.toLocaleString('en-US');

/** The total of all groups, with unreadable jobs counted separately; '' if there are none. */
export function totalText(associations: number, groups: readonly Held[]): string {
  const jobs = groups.filter(isUnreadable).reduce((sum, group) => sum + group.jobs, 0);
  return [associations > 0 && counted(associations, 'association'), jobs > 0 && unreadable(jobs)]
    .filter(Boolean)
    .join(' and ');
}
