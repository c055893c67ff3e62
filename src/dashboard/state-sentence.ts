/**
 * How things stand, in one sentence, and how bad that is. Pure; it runs in the server and, with the viewer's own clock, in
 * the page.
 */
export type StateFigures = {
  /** Redis' clock, epoch ms */
  now: number;
  paused: boolean;
  hold: { kind: string; reason: string; since: number | null; until: number } | null;
  /** associations decided a second, over the last seconds */
  perSecond: number;
  /** associations that are still to be decided, about */
  backlog: number;
  jobs: { waiting: number; active: number; delayed: number };
  /** when the next delayed job comes back, epoch ms */
  nextTryAt: number | null;
  oldestWaitingSeconds: number | null;
  heldPairs: number;
  workers: number;
  /** the calls of the window are used up: only a larger quota makes it faster */
  quotaBound: boolean;
  /** every worker has all its calls in flight: another worker would make it faster */
  slotsBound: boolean;
};
export type Tone = 'good' | 'idle' | 'warn' | 'bad';
export type Sentence = { tone: Tone; text: string };

/** Nothing moves and yet it should: after so long it is no start any more. */
const STUCK_SECONDS = 60;

/** @param clock epoch ms → `14:32` */
export function stateSentence(figures: StateFigures, clock: (ms: number) => string): Sentence {
  const { now, paused, hold, perSecond, backlog, jobs, workers } = figures;
  const left = short(backlog);
  if (paused) {
    const nobody = workers === 0 ? ', and no worker is alive' : '';
    return { tone: 'warn', text: `Paused: ${left} wait until somebody resumes${nobody}; nothing is lost` };
  }
  if (workers === 0 && backlog > 0)
    return {
      tone: 'bad',
      text: `No worker is alive while ${left} wait; nothing is lost. Start one: association-queue worker`,
    };
  if (hold && hold.until > now) {
    const since = hold.since === null ? 'Held' : `Held since ${clock(hold.since)}`;
    const tone = hold.kind === 'rate-limit' ? 'warn' : 'bad';
    const seconds = Math.ceil((hold.until - now) / 1_000);
    const next = seconds <= 90 ? `next try in ${seconds} s` : `next try ${clock(hold.until)}`;
    return { tone, text: `${since}: ${hold.reason.replace(/[.\s]+$/, '')}; ${next}; nothing is lost` };
  }
  const pairs = figures.heldPairs > 0 ? `; ${named(figures.heldPairs, 'object pair')} held` : '';
  if (backlog === 0) return { tone: pairs ? 'warn' : 'idle', text: `Idle: everything is decided${pairs}` };
  if (perSecond > 0) {
    const done = clock(now + (backlog / perSecond) * 1_000);
    const bound = figures.quotaBound
      ? '; quota-bound'
      : figures.slotsBound
        ? '; worker-bound: another worker would help'
        : '';
    const text = `Flowing: ${rate(perSecond)}/s, ${left} left, done about ${done}${bound}${pairs}`;
    return { tone: pairs ? 'warn' : 'good', text };
  }
  if (jobs.waiting === 0 && jobs.active === 0) {
    const next = figures.nextTryAt === null ? '' : `, next try ${clock(Math.max(now, figures.nextTryAt))}`;
    return { tone: 'warn', text: `Waiting to try ${left} again${next}${pairs}; nothing is lost` };
  }
  if ((figures.oldestWaitingSeconds ?? 0) < STUCK_SECONDS)
    return { tone: 'good', text: `Starting: ${left} left${pairs}` };
  return {
    tone: 'bad',
    text: `Not moving: ${left} left, ${named(workers, 'worker')} alive${pairs}; look at their logs. Nothing is lost`,
  };
}

const named = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');
const rate = (n: number): string =>
  n < 10 ? n.toFixed(1) : grouped(n < 1_000 ? n : Math.round(n / 100) * 100);

/** `312`, `18,400`, `164 k`, `1.2 M`: three digits are enough to a reader in a hurry. */
export function short(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(1)} G`;
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  if (n >= 1e5) return `${grouped(n / 1e3)} k`;
  return grouped(n >= 10_000 ? Math.round(n / 100) * 100 : n);
}
