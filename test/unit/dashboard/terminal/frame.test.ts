/** A frame of `stats --watch`: its content, and that it fits any terminal and any words of HubSpot. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FrameInput, frame } from '../../../../src/dashboard/terminal/frame.js';
import { width } from '../../../../src/dashboard/terminal/glyphs.js';
import { parseConfig } from '../../../../src/shared/runtime/config.js';
import { limitsOf } from '../../../../src/shared/state/capacity.js';
import { paint, plain } from '../../../support/terminal.js';

const now = Date.parse('2026-03-01T12:00:00Z');
const minutes = (created: number[]) => ({
  at: created.map((_, at) => now / 1_000 - 60 * (created.length - at)),
  stepSeconds: 60,
  created,
  rejected: created.map(() => 0),
  cancelled: created.map(() => 0),
  retried: created.map(() => 0),
  calls: created.map(() => 0),
  limited: created.map(() => 0),
  failed: created.map(() => 0),
  fill: created.map(() => 1_987),
  backlog: created.map(() => null),
  oldest: created.map(() => null),
});
const group = (category: string, message: string, associations: number) => ({
  ...{ id: category, category, message, from: 'contacts', to: 'companies', associations, jobs: 1 },
  ...{ first: now, last: now },
});

function inputOf(message = 'No contact with ID … exists', trouble?: string): FrameInput {
  return {
    ...{ account: 'default', place: 'redis://127.0.0.1:6379', trouble },
    hour: minutes(Array.from({ length: 60 }, (_, at) => at * 20_000)),
    live: [null, 20, 18_400],
    reading: {
      figures: {
        state: {
          ...{
            now,
            redis: { refusal: '', memory: null, evicts: null },
            paused: null,
            hold: null,
            perSecond: 18_400,
            backlog: 1_234_567,
          },
          ...{ inHand: 20_000, rejected: 312, nextTryAt: null, callsNeeded: 618, callsLeftToday: 395_789 },
          jobs: { waiting: 2_400, active: 40, delayed: 3, failed: 12 },
          ...{ oldestWaitingSeconds: 125, workers: 2, quotaBound: true, slotsBound: false },
          heldPairs: { count: 1, first: { objectPair: 'contacts/deals', reason: '403 from HubSpot' } },
          isolation: { inputs: 0, invalid: 0, callShare: 0 },
        },
        stats: {
          account: 'default',
          jobs: { waiting: 2_400, active: 40, delayed: 3, failed: 12, completed: 900 },
          associations: { created: 12_345_678, rejected: 312, cancelled: 0, retried: 1_204 },
          calls: { total: 640, rateLimited: 1, failed: 0 },
          batches: { sent: 640, meanInputs: 1_929 },
          quota: {
            ...{ limit: 100, windowMs: 10_000, usedInWindow: 91, usedToday: 104_211, dailyLimit: 500_000 },
            ...{ heldUntil: null, holdReason: null },
          },
          oldestWaitingSeconds: 125,
          paused: null,
          isolation: { inputs: 0, invalid: 0, callShare: 0 },
          workers: { alive: 0, standby: 0, vanished: 0, lastVanishedAt: null },
          heldPairs: [],
        },
        discarded: 0,
        limits: limitsOf(parseConfig({})),
        msUntilReset: 33_000_000,
        notices: [],
        redisNotices: [],
        heldPairs: [{ objectPair: 'contacts/deals', until: now + 90_000, reason: '403 from HubSpot' }],
      },
      rejections: {
        associations: 312,
        groups: [
          group('OBJECT_NOT_FOUND', message, 290),
          group('VALIDATION_ERROR', 'no', 22),
          group('INVALID_JOB', '/version must be …', 0),
        ],
        more: 0,
      },
      workers: {
        alive: (['sending', 'sending', 'standby'] as const).map((state, pid) => ({
          ...{ id: `${pid}`, version: '0.1.0', host: 'h', pid, startedAt: now, rssBytes: 1e8 },
          ...{
            state,
            inFlight: state === 'standby' ? 0 : 8,
            maxInFlight: 10,
            jobs: 20,
            associations: 10_000,
          },
        })),
        vanished: [],
      },
      minutes: minutes([1, 2]),
    },
  };
}

test('a frame tells the whole story in 100 columns', () => {
  const text = frame(inputOf(), { columns: 100, rows: 40 }, plain).join('\n').replace(/ +/g, ' ');
  for (const words of [
    'HubSpot associations default at redis://127.0.0.1:6379',
    '12:00:00 UTC',
    '● Flowing: 18,400/s, 1.2 M left, done about 12:01 UTC; quota-bound; 1 object pair is held:',
    ' contacts → deals: 403 from HubSpot',
    ' 91 of 100 calls per 10 s',
    ' 104,211 of 500,000, starts again in 9 h 10 min',
    'done in 1 min 7 s',
    'created 12,345,678',
    'calls in flight 16 of 20',
    'oldest 2 min 5 s',
    'contacts/deals 1 min 30 s 403 from HubSpot',
    '290 OBJECT_NOT_FOUND contacts → companies No contact with ID … exists',
    ' 22 VALIDATION_ERROR contacts → companies no',
    ' – INVALID_JOB contacts → companies /version must be …',
    'rejected: 312 associations and 1 job whose data cannot be read',
    'every second · Ctrl-C ends it',
  ])
    expect(text).toContain(words);
});

test('a frame shows no rate before there is one, and no finish time on a day without enough calls', () => {
  const input = inputOf();
  const withState = (state: Partial<FrameInput['reading']['figures']['state']>) => {
    const figures = { ...input.reading.figures, state: { ...input.reading.figures.state, ...state } };
    const lines = frame(
      { ...input, reading: { ...input.reading, figures } },
      { columns: 100, rows: 40 },
      plain,
    );
    return lines.join('\n').replace(/ +/g, ' ');
  };
  const unknown = withState({ perSecond: null });
  expect(unknown).toContain('● Working: 1.2 M left; 1 object pair is held');
  expect(unknown).toContain('done in –');
  expect(unknown).not.toContain('18,400/s');
  const short = withState({ callsLeftToday: 400 });
  expect(short).toContain("today's calls end before it: 400 left today");
  expect(short).toContain('done in not today');
});

test('a frame wraps a long sentence and does not cut it', () => {
  const input = inputOf();
  const reason = '401 from HubSpot: Authentication credentials not found, a long story of what it might be';
  const hold = { kind: 'auth', since: now - 60_000, until: now + 86_400_000, reason };
  const figures = { ...input.reading.figures, state: { ...input.reading.figures.state, hold } };
  const lines = frame({ ...input, reading: { ...input.reading, figures } }, { columns: 60, rows: 30 }, plain);
  const end = lines.findIndex((line, at) => at > 2 && line.trim() === '');
  expect(
    lines
      .slice(2, end)
      .map(line => line.trim())
      .join(' '),
  ).toBe(
    `● Held since 11:59 UTC: ${reason}; renew the token (HUBSPOT_ACCESS_TOKEN_FILE is read again); next try 2026-03-02 12:00 UTC; 1 object pair is held: contacts → deals: 403 from HubSpot; nothing is lost`,
  );
});

test('a frame says first that Redis is away, and that the rest is old', () => {
  const trouble = 'Redis at redis://127.0.0.1:6379 cannot be used: ECONNREFUSED; trying again';
  const lines = frame(inputOf('', trouble), { columns: 100, rows: 40 }, plain);
  expect(lines[2]).toBe(` ● ${trouble}`);
  expect(lines[3]).toBe(' what follows is old');
});

test('a frame fits any terminal, and no word of HubSpot reaches the terminal as a command', () => {
  const words = fc.string({ unit: 'binary', maxLength: 60 });
  const anything = fc.oneof(words, fc.constant('\x1b]0;owned\x07\x1b[2J\r\n世界🙂e\u0301\u202e'));
  const size = fc.record({
    columns: fc.integer({ min: 22, max: 300 }),
    rows: fc.integer({ min: 1, max: 80 }),
  });
  fc.assert(
    fc.property(anything, size, fc.constantFrom(plain, paint), (message, terminal, how) => {
      const lines = frame(inputOf(message), terminal, how);
      expect(lines.length).toBeLessThanOrEqual(terminal.rows);
      for (const line of lines) {
        expect(width(line)).toBeLessThanOrEqual(terminal.columns);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours are all that may be left
        expect(line.replace(/\x1b\[\d+(;\d+)*m/g, '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }),
    { numRuns: 300 },
  );
});
