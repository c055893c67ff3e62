/** The gateway's page in a real Chromium, as wide as a phone: it can be read, a call can be tried, and that call enqueues. */
import { expect, it } from '@jest/globals';
import { startGateway } from '../support/gateway.js';
import { useQueue } from '../support/queue.js';
import { findChromium, launch } from './chromium.js';

const test = useQueue(import.meta.url);
const executable = findChromium();
const KEY = 'page-test-key';

(executable ? it : it.skip)(
  "the gateway's page fits a phone, loads nothing from elsewhere, and tries a call with a key",
  async () => {
    const gateway = await startGateway({
      ...{ REDIS_URL: test.url, QUEUE_PREFIX: test.prefix },
      GATEWAY_API_KEYS: KEY,
    });
    const browser = await launch(executable ?? '');
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 844 }, isMobile: true });
      page.setDefaultTimeout(60_000); // a bound for a hung page, not a measure of a busy machine
      const foreign: string[] = [];
      const complaints: string[] = [];
      page.on('request', request => {
        if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(gateway.url))
          foreign.push(request.url());
      });
      page.on('console', message => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', error => complaints.push(error.message));

      await page.goto(gateway.url);
      await page.locator('.auth-wrapper .authorize').first().click();
      await page.locator('.modal-ux input').fill(KEY);
      await page.locator('.modal-ux button.authorize').click();
      await page.locator('.modal-ux .btn-done').click();
      await page.locator('.opblock-summary-control').first().click();
      await page.locator('.try-out__btn').first().click();
      await page.locator('.execute').first().click();
      await page.locator('.live-responses-table').getByText('PENDING').first().waitFor();

      const [job] = await test.queue.getWaiting();
      expect(job?.data).toMatchObject({ fromObjectType: 'contacts', pairs: [['101', '202']] });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      expect([foreign, complaints]).toEqual([[], []]);
    } finally {
      await browser.close();
      await gateway.end('SIGTERM');
    }
  },
  300_000,
);
