/** How wrong passwords are slowed down and logged. */
import { describe, expect, test } from '@jest/globals';
import { WrongPasswords } from '../../../../src/dashboard/web/wrong-passwords.js';

describe('wrong passwords', () => {
  let now = 1_000_000;
  const clock = () => now;
  const exhaust = (wrong: WrongPasswords, who: string) => {
    let tries = 0;
    for (; wrong.waitMs(who) === 0; tries++) wrong.wrong(who);
    return tries;
  };

  test('are answered ten at once, then one in five seconds; other addresses do not wait', () => {
    const wrong = new WrongPasswords(clock);
    expect(exhaust(wrong, 'a')).toBe(10);
    expect(wrong.waitMs('a')).toBe(5_000);
    expect(wrong.waitMs('b')).toBe(0);
    now += 5_000;
    expect(exhaust(wrong, 'a')).toBe(1);
    // coming too early does not prolong the wait
    for (let n = 0; n < 100; n++) wrong.early('a');
    expect(wrong.waitMs('a')).toBe(5_000);
    now += 3_600_000;
    expect(exhaust(wrong, 'a')).toBe(10);
  });

  test('are one log line a minute and address with their count, and at most twenty lines for many addresses', () => {
    const wrong = new WrongPasswords(clock);
    expect(wrong.wrong('a')).toEqual({ tries: 1, untold: 0 });
    for (let n = 0; n < 500; n++) expect(wrong.early('a')).toBeUndefined();
    now += 60_000;
    expect(wrong.wrong('a')).toEqual({ tries: 501, untold: 0 });
    now += 60_000;
    let lines = 0;
    for (let n = 0; n < 30_000; n++) if (wrong.wrong(`address ${n}`)) lines += 1;
    expect(lines).toBe(20);
    now += 60_000;
    // forgotten addresses without a line are counted in one, and memory is bounded
    expect(wrong.wrong('b')).toEqual({ tries: 1, untold: 20_000 - 20 + 1 });
  });
});
