/** Says in one sentence whether the page shows current figures: the worst known problem. Pure. */

/** Figures come every second. After this time without any the page says that it shows old ones. */
export const SILENT_MS = 5_000;

export type Contact = {
  /** time of the latest event, epoch ms; 0 = none yet */
  lastWordAt: number;
  /** the connection has been refused or has broken */
  unreachable: boolean;
  /** the dashboard reports that Redis cannot be read */
  trouble: { since: number; message: string } | null;
};

/** @param clock epoch ms → `14:02:11` @returns '' if all is well */
export function noticeText(
  { lastWordAt, unreachable, trouble }: Contact,
  now: number,
  clock: (ms: number) => string,
): string {
  const silent = lastWordAt > 0 && now - lastWordAt > SILENT_MS;
  if (silent)
    return `No word from the dashboard since ${clock(lastWordAt)}; what you see is how it was then. Trying again …`;
  if (unreachable) return 'The dashboard cannot be reached; what you see is how it was. Trying again …';
  return trouble
    ? `Redis has been away since ${clock(trouble.since)}; what you see is how it was then. Trying again …`
    : '';
}

/** The small print under the notice: Redis' own words, and the last known state. @param sentence '' = none known */
export const noticeDetails = ({ trouble, unreachable }: Contact, sentence: string): string =>
  [!unreachable && trouble?.message, sentence && `Last known: ${sentence}`].filter(Boolean).join(' · ');
