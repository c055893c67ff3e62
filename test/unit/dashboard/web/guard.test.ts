/** The guard: which requests the dashboard accepts, by host, origin and method. */
import { describe, expect, test } from '@jest/globals';
import { type AskedFor, hostRefusal, refusalOf } from '../../../../src/dashboard/web/guard.js';

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

test('the guard answers without a password only to a loopback name, not to a name that was made to point here', () => {
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
])('the guard lets a state-changing call in from our own page only: %s', (_who, headers, status) => {
  expect(post(headers)?.status).toBe(status);
});

test("the guard takes Bull Board's calls without our header, and from our origin only", () => {
  expect(post({ 'sec-fetch-site': 'same-origin' }, true)).toBeUndefined();
  expect(post({ 'sec-fetch-site': 'cross-site' }, true)?.status).toBe(403);
  expect(post({}, true)?.status).toBe(403);
});

describe('another site', () => {
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  const get = (headers: Record<string, string>, door: AskedFor['door'], method = 'GET') =>
    refusalOf(asked(headers, { door, method }), false)?.status;

  test('may link to a page, but not embed it', () => {
    expect(get(link, 'page')).toBeUndefined();
    expect(get({ ...link, 'sec-fetch-site': 'same-site' }, 'page')).toBeUndefined();
    expect(get({ ...link, 'sec-fetch-dest': 'iframe' }, 'page')).toBe(403);
    expect(get({ ...link, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 'page')).toBe(403);
  });

  test.each(['GET', 'HEAD'])('gets nothing with %s, be it by link, picture, script or fetch', method => {
    expect(get(link, 'inside', method)).toBe(403);
    expect(get({ 'sec-fetch-site': 'cross-site' }, 'inside', method)).toBe(403);
    expect(get({ 'sec-fetch-site': 'same-site' }, 'inside', method)).toBe(403);
    // browsers without Sec-Fetch-Site, as over plain HTTP
    expect(get({ origin: 'https://evil.example' }, 'inside', method)).toBe(403);
    expect(get({ origin: 'null' }, 'inside', method)).toBe(403);
  });

  test('is not taken for the address bar, our own page or a program', () => {
    for (const headers of [
      {},
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-origin' },
      { origin: `http://${host}` },
    ])
      expect(get(headers as Record<string, string>, 'inside')).toBeUndefined();
  });
});

test('the guard refuses every change when the dashboard is read-only', () => {
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
