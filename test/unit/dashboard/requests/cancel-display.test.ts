/** How far a cancel is, on a terminal and in a log. */
import { afterEach, expect, jest, test } from '@jest/globals';
import { CancelDisplay } from '../../../../src/dashboard/requests/cancel-display.js';

const progress = { cancelled: 4_900, decided: 0, queued: 100, active: 2 };
const stream = (isTTY: boolean) => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  return { written, stream: { isTTY, columns: 60, write } as unknown as NodeJS.WriteStream };
};
afterEach(() => {
  jest.restoreAllMocks();
});

test('a log gets a line every ten seconds, and none of a short cancel', () => {
  const now = jest.spyOn(performance, 'now').mockReturnValue(0);
  const { written, stream: log } = stream(false);
  const display = new CancelDisplay(log);
  for (const ms of [0, 5_000, 9_999, 10_000, 12_000, 20_000, 30_001]) {
    now.mockReturnValue(ms);
    expect(display.isDue).toBe([10_000, 20_000, 30_001].includes(ms));
    display.show(progress, '');
  }
  expect(written).toHaveLength(3);
  expect(written[0]).toMatch(/^\d{4}-\S+Z {2}cancelled 4,900, 100 left: workers have 2 jobs of it: .*\n$/);
  display.end();
  now.mockReturnValue(60_000);
  display.show(progress, '');
  expect(written).toHaveLength(3);
});

test('a terminal gets one line, drawn again each second and removed at the end', () => {
  const now = jest.spyOn(performance, 'now').mockReturnValue(0);
  const { written, stream: terminal } = stream(true);
  const display = new CancelDisplay(terminal);
  for (const ms of [0, 500, 1_000]) {
    now.mockReturnValue(ms);
    display.show(progress, 'No worker is alive.');
  }
  display.end();
  display.end();
  expect(written).toEqual([
    expect.stringMatching(/^\r\S+cancelled 4,900, 100 left: .{1,59}$/),
    expect.stringMatching(/^\r/),
    '\r\x1b[K',
  ]);
});
