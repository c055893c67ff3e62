/** The password door: which passwords are accepted, and which must wait. */
import { describe, expect, test } from '@jest/globals';
import { PasswordDoor } from '../../../../src/dashboard/web/password-door.js';
import { createLogger } from '../../../../src/shared/runtime/logger.js';

describe('the password door', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  const right = basic('oncall:päss:word');
  let now = 0;
  function open() {
    const lines: string[] = [];
    const counts = { wrong: 0, too_many: 0 };
    const door = new PasswordDoor(
      { user: 'oncall', password: 'päss:word' },
      why => {
        counts[why] += 1;
      },
      createLogger('info', 'dashboard', { destination: { write: line => void lines.push(line) } }),
      () => now,
    );
    const knock = (authorization: string | undefined, address = '192.0.2.1', cookies?: string) =>
      door.answer({ authorization, address, cookies });
    return { knock, lines, counts };
  }
  const statusOf = ({ refusal }: { refusal?: { status: number } }) => refusal?.status;

  test('lets its user in, and nobody else', () => {
    const { knock, counts } = open();
    expect(statusOf(knock(right))).toBeUndefined();
    for (const wrong of ['', 'Basic', 'Bearer x', 'oncall:', 'oncall', 'Oncall:päss:word', ':'].map(text =>
      text.includes(':') || text === 'oncall' ? basic(text) : text,
    ))
      expect(knock(wrong)).toMatchObject({
        refusal: { status: 401 },
        headers: { 'www-authenticate': expect.stringMatching(/^Basic /) },
      });
    expect(counts).toEqual({ wrong: 7, too_many: 0 });
    // a request without a password is not a wrong one
    expect(statusOf(knock(undefined))).toBe(401);
    expect(counts.wrong).toBe(7);
  });

  test('slows guesses down, counts them, and logs them with the address and never the password', () => {
    const { knock, lines, counts } = open();
    const statuses = Array.from({ length: 200 }, (_, n) => statusOf(knock(basic(`oncall:guess-${n}`))));
    expect(statuses.filter(status => status === 401)).toHaveLength(10);
    expect(statuses.filter(status => status === 429)).toHaveLength(190);
    expect(knock(right)).toMatchObject({
      refusal: { status: 429, message: 'Too many wrong passwords: try again in 5 s' },
      headers: { 'retry-after': '5' },
    });
    expect(counts).toEqual({ wrong: 10, too_many: 191 });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: 'wrong password',
      address: '192.0.2.1',
      tries: 1,
    });
    expect(lines.join('')).not.toMatch(/guess|päss|b25jYWxs/);
    now += 5_000;
    expect(statusOf(knock(right))).toBeUndefined();
  });

  test('locks out neither another address nor a browser that was right before', () => {
    const { knock } = open();
    const cookies = knock(right).headers?.['set-cookie']?.split(';', 1)[0];
    for (let n = 0; n < 50; n++) knock(basic(`oncall:${n}`));
    expect(statusOf(knock(right))).toBe(429);
    expect(statusOf(knock(right, '192.0.2.2'))).toBeUndefined();
    expect(knock(right, '192.0.2.1', cookies)).toEqual({}); // and no new cookie for each request
    // the cookie alone gives no access, and has its own tries
    expect(statusOf(knock(undefined, '192.0.2.1', cookies))).toBe(401);
    const guesses = Array.from({ length: 20 }, () => statusOf(knock(basic('a:b'), '192.0.2.3', cookies)));
    expect(guesses.filter(status => status === 401)).toHaveLength(10);
  });

  test('takes the IPv6 addresses of one network for one guesser', () => {
    const { knock } = open();
    for (let n = 0; n < 10; n++) knock(basic(`a:${n}`), `2001:db8::${n}`);
    expect(statusOf(knock(right, '2001:db8:0:0:7:7:7:7'))).toBe(429);
    expect(statusOf(knock(right, '2001:db8:0:1::1'))).toBeUndefined();
    expect(statusOf(knock(right, '::ffff:192.0.2.1'))).toBeUndefined();
  });
});
