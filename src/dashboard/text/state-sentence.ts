/**
 * The state sentence: the state of the queue in one sentence, and how serious it is. Pure; runs in the server and, with the
 * viewer's clock, in the page.
 */
export type RedisHealth = {
  /** why Redis refuses writes, in its words (`READONLY …`); '' = it accepts them, or an ACL forbids the test */
  refusal: string;
  /** used memory and its limit; null without a limit */
  memory: { usedBytes: number; maxBytes: number } | null;
  /** what Redis deletes when it is full, and the number of deleted keys since its start; null: it deletes none */
  evicts: { words: string; keys: number } | null;
};

export type StateFigures = {
  /** Redis' clock, epoch ms */
  now: number;
  redis: RedisHealth;
  /** null: not paused; its fields are null if another BullMQ client paused the queue */
  paused: { by: string | null; reason: string | null; at: number | null } | null;
  /** null: not held; `until` = now: a probe is due */
  hold: { kind: string; reason: string; since: number | null; until: number } | null;
  /** associations decided per second, over the last seconds; null: not known yet */
  perSecond: number | null;
  /** estimate of the undecided associations */
  backlog: number;
  /** undecided associations that workers have fetched */
  inHand: number;
  jobs: { waiting: number; active: number; delayed: number; failed: number };
  /** associations that were rejected and wait for an operator's decision */
  rejected: number;
  /** when the next delayed job comes back, epoch ms */
  nextTryAt: number | null;
  oldestWaitingSeconds: number | null;
  /** null: none; `first` is the one with the earliest next try */
  heldPairs: { count: number; first: { objectPair: string; reason: string } } | null;
  /** the search for invalid inputs; the share of calls that it takes, 0 to 1 */
  isolation: { inputs: number; invalid: number; callShare: number };
  workers: number;
  /** least calls for the backlog */
  callsNeeded: number;
  /** calls that are left of the account's day; null without a daily limit */
  callsLeftToday: number | null;
  /** the calls of the window are used up, so that only a larger quota would be faster */
  quotaBound: boolean;
  /** every worker has all its calls in flight, so that another worker would be faster */
  slotsBound: boolean;
};
export type Tone = 'good' | 'idle' | 'warn' | 'bad';
export type Sentence = { tone: Tone; text: string };
/** epoch ms → `14:32` */
export type Clock = (ms: number) => string;

/** If nothing moves for longer than this, the worker is not starting but stuck. */
const STUCK_SECONDS = 60;
const LOST = 'nothing is lost';

/** Returns the first sentence that applies, in this order: Redis, the operator, the workers, HubSpot, the queue. */
export function stateSentence(figures: StateFigures, clock: Clock): Sentence {
  const sentence =
    refusedSentence(figures) ??
    pausedSentence(figures, clock) ??
    deadSentence(figures) ??
    holdSentence(figures, clock) ??
    idleSentence(figures) ??
    workSentence(figures, clock);
  return withEviction(sentence, figures.redis);
}

/** A title for a browser's tab: the words before the first punctuation mark that is not part of a time or a number. */
export const stateTitle = (text: string): string => text.split(/ \(|[:;,](?!\d)/, 1)[0] ?? text;

/** Seconds until everything is decided at this rate; null if unknown. */
export function secondsLeft(figures: StateFigures): number | null {
  const { perSecond, backlog } = figures;
  if (!perSecond || backlog === 0 || endsToday(figures)) return null;
  return backlog / perSecond;
}

/** True if the calls of the day do not suffice for the backlog, even if all of them are full. */
export const endsToday = ({ callsNeeded, callsLeftToday }: StateFigures): boolean =>
  callsLeftToday !== null && callsNeeded > callsLeftToday;

/** It comes first, because workers that cannot write their reports seem dead. */
function refusedSentence({ redis: { refusal, memory } }: StateFigures): Sentence | undefined {
  if (!refusal) return undefined;
  if (refusal.startsWith('OOM')) {
    const size = memory ? ` (${megabytes(memory.usedBytes)} of ${megabytes(memory.maxBytes)})` : '';
    return {
      tone: 'bad',
      text: `Redis is full${size}: producers are refused, ${LOST}. Give it more memory`,
    };
  }
  const [word = ''] = refusal.split(' ', 1);
  const remedy = REMEDIES[word] ?? 'Look at its log';
  return { tone: 'bad', text: `Redis refuses writes: ${refusal.replace(/[.\s]+$/, '')}; ${LOST}. ${remedy}` };
}
const REMEDIES: Readonly<Record<string, string>> = {
  READONLY: 'REDIS_URL leads to a replica: set it to the primary',
  NOREPLICAS: 'It misses replicas (min-replicas-to-write): bring them back',
  MISCONF: 'It cannot save to its disk: look at its log and at the disk',
};

/** Added to any sentence: a Redis that evicts keys may evict the queue. */
function withEviction(sentence: Sentence, { evicts }: RedisHealth): Sentence {
  if (!evicts) return sentence;
  const { words, keys } = evicts;
  if (keys === 0) {
    const tone = sentence.tone === 'bad' ? 'bad' : 'warn';
    return { tone, text: `${sentence.text}; ${words}` };
  }
  const text = sentence.text.replace(/[;,.] nothing is lost/i, '');
  return { tone: 'bad', text: `${text}; Redis has deleted ${named(keys, 'key')} since its start: ${words}` };
}

function pausedSentence(figures: StateFigures, clock: Clock): Sentence | undefined {
  const { paused, backlog, inHand, jobs, workers } = figures;
  if (!paused) return undefined;
  const held = workers > 0 && jobs.active > 0 ? Math.min(inHand, backlog) : 0;
  const waiting = backlog - held;
  const what = waiting > 0 ? `${short(waiting)} wait` : 'what comes now waits';
  const nobody = workers === 0 ? ', and no worker is alive' : '';
  const finishing = held > 0 ? `; ${short(held)} in hand are still being finished` : '';
  return {
    tone: 'warn',
    text: `${pausedBy(paused, clock)}: ${what} until somebody resumes${nobody}${finishing}${heldPairsOf(figures)}; ${LOST}`,
  };
}

/** `Paused by anna@ops since 14:05 (HubSpot maintenance)` */
function pausedBy({ by, reason, at }: NonNullable<StateFigures['paused']>, clock: Clock): string {
  const since = at === null ? '' : ` since ${clock(at)}`;
  return `Paused by ${by ?? 'another client'}${since}${reason ? ` (${cut(reason)})` : ''}`;
}

function deadSentence(figures: StateFigures): Sentence | undefined {
  const { workers, backlog } = figures;
  if (workers > 0 || backlog === 0) return undefined;
  return {
    tone: 'bad',
    text: `No worker is alive while ${short(backlog)} wait${heldPairsOf(figures)}; ${LOST}. Start one: association-queue worker`,
  };
}

function holdSentence(figures: StateFigures, clock: Clock): Sentence | undefined {
  const { hold, now } = figures;
  if (!hold || hold.until < now) return undefined;
  const since = hold.since === null ? 'Held' : `Held since ${clock(hold.since)}`;
  const tone = hold.kind === 'rate-limit' ? 'warn' : 'bad';
  const next = nextTry(hold.until, now, clock);
  const advice = hold.kind === 'auth' ? '; renew the token (HUBSPOT_ACCESS_TOKEN_FILE is read again)' : '';
  const reason = hold.reason.replace(/[.\s]+$/, '');
  return { tone, text: `${since}: ${reason}${advice}; ${next}${heldPairsOf(figures)}; ${LOST}` };
}

/** A clock of minutes tells nothing of a moment that is closer than two. */
function nextTry(at: number, now: number, clock: Clock): string {
  const seconds = Math.max(0, Math.ceil((at - now) / 1_000));
  if (seconds >= 120) return `next try ${clock(at)}`;
  return seconds === 0 ? 'next try now' : `next try in ${seconds} s`;
}

function idleSentence(figures: StateFigures): Sentence | undefined {
  if (figures.backlog > 0) return undefined;
  const { rejected, jobs, workers } = figures;
  const waiting =
    rejected > 0
      ? `; ${short(rejected)} rejected ${rejected === 1 ? 'waits' : 'wait'} for you`
      : jobs.failed > 0 // failed jobs without countable associations
        ? `; ${named(jobs.failed, 'failed job')} ${jobs.failed === 1 ? 'waits' : 'wait'} for you`
        : '';
  const nobody = workers === 0 ? '; nobody works: no worker is alive' : '';
  const more = waiting + heldPairsOf(figures) + nobody;
  return { tone: more ? 'warn' : 'idle', text: `Idle: everything is decided${more}` };
}

function workSentence(figures: StateFigures, clock: Clock): Sentence {
  const { now, perSecond, backlog, jobs, workers } = figures;
  const left = `${short(backlog)} left`;
  const more = isolationOf(figures) + heldPairsOf(figures);
  const tooFew = endsToday(figures);
  const budget = tooFew
    ? `; today's calls end before it: ${count(figures.callsLeftToday ?? 0)} left today`
    : '';
  const tone = figures.heldPairs || tooFew ? 'warn' : 'good';
  if (perSecond !== null && perSecond > 0) {
    const seconds = secondsLeft(figures);
    const done = seconds === null ? '' : `, done about ${clock(now + seconds * 1_000)}`;
    const text = `Flowing: ${rate(perSecond)}/s, ${left}${done}${budget}${boundOf(figures)}${more}`;
    return { tone, text };
  }
  if (perSecond === null && jobs.active > 0) return { tone, text: `Working: ${left}${budget}${more}` };
  if (jobs.waiting === 0 && jobs.active === 0) {
    const next = figures.nextTryAt === null ? '' : `, ${nextTry(figures.nextTryAt, now, clock)}`;
    return { tone: 'warn', text: `Waiting to try ${short(backlog)} again${next}${more}; ${LOST}` };
  }
  if ((figures.oldestWaitingSeconds ?? 0) < STUCK_SECONDS) return { tone, text: `Starting: ${left}${more}` };
  const alive = `${named(workers, 'worker')} alive`;
  if (perSecond === null)
    return { tone: 'warn', text: `Waiting: ${left}, none in hand, ${alive}${more}; ${LOST}` };
  return { tone: 'bad', text: `Not moving: ${left}, ${alive}${more}; look at their logs. Nothing is lost` };
}

const boundOf = ({ quotaBound, slotsBound }: StateFigures): string => {
  if (quotaBound) return '; quota-bound';
  return slotsBound ? '; worker-bound: another worker would help' : '';
};

function isolationOf({ isolation: { inputs, invalid, callShare } }: StateFigures): string {
  if (inputs === 0) return '';
  const found = invalid === 0 ? 'looking for' : `finding ${short(invalid)}`;
  const share = `${Math.round(callShare * 100)} % of calls`;
  return `; ${found} invalid ones among ${named(inputs, 'input')}: ${share}`;
}

/** Longest reason in the sentence, because words of HubSpot and of operators may have any length. */
const REASON_LENGTH = 100;

function heldPairsOf({ heldPairs }: StateFigures): string {
  if (!heldPairs) return '';
  const { count: all, first } = heldPairs;
  const others = all > 1 ? `, and ${count(all - 1)} more` : '';
  const are = all === 1 ? 'is' : 'are';
  return `; ${named(all, 'object pair')} ${are} held: ${first.objectPair.replace('/', ' → ')}: ${cut(first.reason)}${others}`;
}

function cut(reason: string): string {
  const letters = [...reason.replace(/[.\s]+$/, '')];
  return letters.length > REASON_LENGTH ? `${letters.slice(0, REASON_LENGTH).join('')}…` : letters.join('');
}

const named = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? '' : 's'}`;
const count = (n: number): string => Math.round(n).toLocaleString('en-US');
const rate = (n: number): string =>
  n < 10 ? n.toFixed(1) : count(n < 1_000 ? n : Math.round(n / 100) * 100);
const megabytes = (bytes: number): string => `${count(bytes / 1_048_576)} MB`;

/** `312`, `18,400`, `164 k`, `1.2 M`: three digits are enough for a quick look. */
export function short(n: number): string {
  if (n >= 1e9) return `${(n / 1e9).toFixed(1)} G`;
  if (n >= 1e6) return `${(n / 1e6).toFixed(1)} M`;
  if (n >= 1e5) return `${count(n / 1e3)} k`;
  return count(n >= 10_000 ? Math.round(n / 100) * 100 : n);
}
