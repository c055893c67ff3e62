/** Who may do what on the dashboard: the guard's rules, and how wrong passwords are slowed down. */
import { describe, expect, test } from '@jest/globals';
import { type AskedFor, hostRefusal, refusalOf } from '../../src/dashboard/web/guard.js';
import { KnownBrowsers } from '../../src/dashboard/web/known-browsers.js';
import { PasswordDoor } from '../../src/dashboard/web/password-door.js';
import { WrongPasswords } from '../../src/dashboard/web/wrong-passwords.js';
import { createLogger } from '../../src/shared/runtime/logger.js';

const host = '127.0.0.1:3001';
const asked = (headers: AskedFor['headers'], more: Partial<AskedFor> = {}): AskedFor => ({
  method: 'GET',
  door: 'inside',
  board: false,
  headers: { host, ...headers },
  ...more,
});
const post = (headers: AskedFor['headers'], board = false) =>
  refusalOf(asked(headers, { method: 'POST', board }), false);

test('without a password only a loopback address is answered to: no name that was made to point here', () => {
  for (const name of [host, 'localhost', 'LOCALHOST:1', '[::1]:3001', '127.0.0.2'])
    expect(hostRefusal({ host: name })).toBeUndefined();
  for (const name of [undefined, '', 'evil.example', '127.0.0.1.evil.example:3001', 'localhost.evil.example'])
    expect(hostRefusal({ host: name })?.status).toBe(421);
});

test.each<[string, Record<string, string>, number | undefined]>([
  ['our own page', { 'sec-fetch-site': 'same-origin', 'x-association-queue': '1' }, undefined],
  ['an older browser', { origin: `http://${host}`, 'x-association-queue': '1' }, undefined],
  ['another site', { 'sec-fetch-site': 'cross-site', 'x-association-queue': '1' }, 403],
  [
    'another site of this host',
    { 'sec-fetch-site': 'same-site', origin: `http://${host}`, 'x-association-queue': '1' },
    403,
  ],
  ['another origin', { origin: 'http://127.0.0.1:3002', 'x-association-queue': '1' }, 403],
  ['no origin', { 'x-association-queue': '1' }, 403],
  ['a form, whose origin is hidden', { origin: 'null' }, 403],
  ['a form of ours', { 'sec-fetch-site': 'same-origin' }, 403],
])('a state-changing call of %s', (_who, headers, status) => {
  expect(post(headers)?.status).toBe(status);
});

test("Bull Board's calls come without our header, and from our origin only", () => {
  expect(post({ 'sec-fetch-site': 'same-origin' }, true)).toBeUndefined();
  expect(post({ 'sec-fetch-site': 'cross-site' }, true)?.status).toBe(403);
  expect(post({}, true)?.status).toBe(403);
});

describe('another site', () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const get = (headers: Record<string, string>, door: AskedFor['door'], method = 'GET') =>
    refusalOf(asked(headers, { door, method }), false)?.status;

  test('may link to a page, and not use it', () => {
    expect(get(link, 'page')).toBeUndefined();
    expect(get({ ...link, 'sec-fetch-site': 'same-site' }, 'page')).toBeUndefined();
    expect(get({ ...link, 'sec-fetch-dest': 'iframe' }, 'page')).toBe(403);
    expect(get({ ...link, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 'page')).toBe(403);
  });

  test.each(['GET', 'HEAD'])('does not %s what is inside, by link, picture, script or fetch', method => {
    expect(get(link, 'inside', method)).toBe(403);
    expect(get({ 'sec-fetch-site': 'cross-site' }, 'inside', method)).toBe(403);
    expect(get({ 'sec-fetch-site': 'same-site' }, 'inside', method)).toBe(403);
    // browsers that do not say Sec-Fetch-Site, as over plain HTTP
    expect(get({ origin: 'https://evil.example' }, 'inside', method)).toBe(403);
    expect(get({ origin: 'null' }, 'inside', method)).toBe(403);
  });

  test('is neither the address bar, nor our own page, nor a program', () => {
    for (const headers of [
      {},
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-origin' },
      { origin: `http://${host}` },
    ])
      expect(get(headers as Record<string, string>, 'inside')).toBeUndefined();
  });
});

test('read-only: looking is all', () => {
  expect(refusalOf(asked({}), true)).toBeUndefined();
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    for (const board of [false, true])
      expect(
        refusalOf(
          asked({ 'sec-fetch-site': 'same-origin', 'x-association-queue': '1' }, { method, board }),
          true,
        ),
      ).toMatchObject({ status: 403, message: expect.stringMatching(/read-only/) });
});

describe('wrong passwords', () => {
  let now = 1_000_000;
  const clock = () => now;
  const exhaust = (wrong: WrongPasswords, who: string) => {
    let tries = 0;
    for (; wrong.waitMs(who) === 0; tries++) wrong.wrong(who);
    return tries;
  };

  test('ten at once, then one in five seconds; who is right or somebody else does not wait', () => {
    const wrong = new WrongPasswords(clock);
    expect(exhaust(wrong, 'a')).toBe(10);
    expect(wrong.waitMs('a')).toBe(5_000);
    expect(wrong.waitMs('b')).toBe(0);
    now += 5_000;
    expect(exhaust(wrong, 'a')).toBe(1);
    // to come too early does not make it longer
    for (let n = 0; n < 100; n++) wrong.early('a');
    expect(wrong.waitMs('a')).toBe(5_000);
    now += 3_600_000;
    expect(exhaust(wrong, 'a')).toBe(10);
  });

  test('a flood is a line a minute with its count; a flood from many addresses is twenty', () => {
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
    // those that were forgotten without a line are told of, and memory has a bound
    expect(wrong.wrong('b')).toEqual({ tries: 1, untold: 20_000 - 20 + 1 });
  });
});

test('a cookie of a known browser holds for its own process only, and cannot be made up', () => {
  const browsers = new KnownBrowsers();
  const cookie = browsers.newCookie();
  expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
  const [sent = ''] = cookie.split(';', 1);
  expect(browsers.idIn(`other=1; ${sent}; more=2`)).toMatch(/^[\w-]{22}$/);
  expect(new KnownBrowsers().idIn(sent)).toBeUndefined();
  for (const forged of [
    undefined,
    '',
    sent.slice(0, -1),
    sent.replace(/.$/, end => (end === 'A' ? 'B' : 'A')),
  ])
    expect(browsers.idIn(forged)).toBeUndefined();
});

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
      createLogger('info', 'dashboard', { write: line => void lines.push(line) }),
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
    // whom the browser has not asked yet is not wrong
    expect(statusOf(knock(undefined))).toBe(401);
    expect(counts.wrong).toBe(7);
  });

  test('slows down who guesses, counts and tells it with the address and never the password', () => {
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

  test('locks nobody else out: not from another address, and not a browser that was right before', () => {
    const { knock } = open();
    const cookies = knock(right).headers?.['set-cookie']?.split(';', 1)[0];
    for (let n = 0; n < 50; n++) knock(basic(`oncall:${n}`));
    expect(statusOf(knock(right))).toBe(429);
    expect(statusOf(knock(right, '192.0.2.2'))).toBeUndefined();
    expect(knock(right, '192.0.2.1', cookies)).toEqual({}); // and no new cookie for each request
    // the cookie alone opens nothing, and has tries of its own
    expect(statusOf(knock(undefined, '192.0.2.1', cookies))).toBe(401);
    const guesses = Array.from({ length: 20 }, () => statusOf(knock(basic('a:b'), '192.0.2.3', cookies)));
    expect(guesses.filter(status => status === 401)).toHaveLength(10);
  });

  test('who has one address of IPv6 has those beside it', () => {
    const { knock } = open();
    for (let n = 0; n < 10; n++) knock(basic(`a:${n}`), `2001:db8::${n}`);
    expect(statusOf(knock(right, '2001:db8:0:0:7:7:7:7'))).toBe(429);
    expect(statusOf(knock(right, '2001:db8:0:1::1'))).toBeUndefined();
    expect(statusOf(knock(right, '::ffff:192.0.2.1'))).toBeUndefined();
  });
});
