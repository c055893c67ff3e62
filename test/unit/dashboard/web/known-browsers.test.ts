/** The cookie of a browser that has sent the right password before. */
import { expect, test } from '@jest/globals';
import { KnownBrowsers } from '../../../../src/dashboard/web/known-browsers.js';

test('the cookie of a known browser is valid for its own process only, and cannot be forged', () => {
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
