/** The dashboard in a real Chromium, before a real worker and the simulator. SCREENSHOTS=1 writes docs/images. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Pair } from '../../src/shared/contract/association.js';
import type { DashboardProcess } from '../support/dashboard.js';
import { eventually } from '../support/eventually.js';
import type { CliProcess } from '../support/process.js';
import { useRig } from '../support/rig.js';
import { goodPairs } from '../support/samples.js';
import { findChromium, launch } from './chromium.js';
import { seedHistory } from './history.js';
import { seedQueuedRequest, seedRejections, seedRequests } from './seed.js';

const INSTALL_MS = 300_000;
const executable = findChromium();
if (!executable)
  process.stderr.write(
    'SKIPPED: no Chromium found and none can be installed here; set CHROMIUM_PATH to test the dashboard in a browser\n',
  );
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const missing: Pair[] = Array.from(
  { length: 7 },
  (_, at): Pair => [String(100_000_001 + at), String(700_000_001 + at)],
);

/** Runs in the page. @returns what can be pressed and lies beyond the edge of the window or of a box that hides it */
function cutOff(): string[] {
  const isBeyond = (node: Element): boolean => {
    const { left, right, width } = node.getBoundingClientRect();
    if (width === 0) return false; // not shown
    if (left < 0 || right > innerWidth + 1) return true;
    for (let box = node.parentElement; box; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== 'visible' && right > box.getBoundingClientRect().right + 1)
        return true;
    return false;
  };
  const pressed = document.querySelectorAll('main :is(button, a, select, input)');
  return [...pressed].filter(node => !node.closest('.range') && isBeyond(node)).map(node => node.outerHTML);
}

const rig = useRig(import.meta.url, afterAll);
(executable ? describe : describe.skip)('the page', () => {
  let browser: Browser;
  let worker: CliProcess;
  let dashboard: DashboardProcess;

  beforeAll(async () => {
    await rig.start({ simulator: { missing: missing.map(([from]) => from) } });
    [browser, dashboard] = await Promise.all([launch(executable ?? ''), rig.startDashboard()]);
  }, INSTALL_MS);
  afterAll(async () => {
    await browser?.close();
  });

  /** A page of its own; what its console complains of fails the test. */
  async function withPage(
    use: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
    url = dashboard.url,
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000); // a bound for a hung page, not a measure of a busy machine
    const complaints: string[] = [];
    page.on('console', message => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', error => complaints.push(error.message));
    try {
      await page.goto(url);
      await use(page);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }
  const sentence = (page: Page, text: RegExp) =>
    eventually(async () => expect(await page.textContent('#sentence')).toMatch(text));
  const tile = async (page: Page, label: string): Promise<string> =>
    (await page
      .locator('.tile', { has: page.locator(`dt:text-is("${label}")`) })
      .locator('.value')
      .textContent()) ?? '';
  const rows = (page: Page) => page.locator('#rejection-groups tr.line');
  const open = (page: Page) => rows(page).first().locator('.opener').click();
  const details = (page: Page) => page.locator('#rejection-groups tr.details:visible');
  async function expectAccessible(page: Page): Promise<void> {
    await page.evaluate(axe);
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
      const found = await axe.run();
      return found.violations.map(({ id, impact, nodes }) => ({
        id,
        impact,
        nodes: nodes.map(node => node.html.slice(0, 200)),
      }));
    });
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([]);
  }

  it('loads little, is accessible, and the browser has no complaint', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    let bytes = 0;
    page.on('requestfinished', async request => {
      const { responseBodySize, responseHeadersSize } = await request.sizes();
      bytes += responseBodySize + responseHeadersSize;
    });
    await page.goto(dashboard.url);
    await sentence(page, /^Idle: everything is decided; nobody works: no worker is alive/);
    expect(await page.getAttribute('#state', 'data-tone')).toBe('warn');
    // the first three steps in place of empty charts and tables
    expect(await page.locator('#step-list li').count()).toBe(3);
    expect(await page.locator('#charts').isVisible()).toBe(false);
    expect(await page.textContent('#workers')).toMatch(/No worker is alive/);
    expect(await page.textContent('#rejection-groups')).toMatch(/Nothing is rejected/);
    await expectAccessible(page);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(150_000);
    await context.close();
  });

  it('is live while a worker runs, and shows what was rejected', async () => {
    await withPage(async page => {
      await rig.enqueue([...missing, ...goodPairs(4_993, 200_000_000)], 100);
      await sentence(page, /^No worker is alive while 5,000 wait; nothing is lost/);
      worker = rig.startWorker();
      await sentence(page, /^Idle/);
      expect(await tile(page, 'Created')).toBe('4,993');
      expect(await tile(page, 'Rejected')).toBe('7');
      expect(await page.textContent('#workers tbody')).toContain(`:${worker.process.pid}`);
      expect(await rows(page).count()).toBe(1);
      expect(await rows(page).textContent()).toMatch(
        /7OBJECT_NOT_FOUND No contact with ID … exists.*contacts → companies/,
      );
      await open(page);
      await eventually(async () =>
        expect(await details(page).textContent()).toMatch(
          /10000000\d → 70000000\d: No contact with ID 10000000\d exists/,
        ),
      );
      expect(await page.textContent('#object-pairs tbody')).toMatch(/contacts → companiesnot held4,9937/);
      expect(await page.locator('#steps').isVisible()).toBe(false);
      await eventually(async () => expect(await page.locator('.chart canvas').count()).toBe(6));
      await eventually(async () =>
        expect(await page.locator('.chart [role=img]').first().getAttribute('aria-label')).toMatch(
          /^Created a minute. created: now /,
        ),
      );
      await expectAccessible(page);
    });
  });

  it('finds a pair by keyboard, and says what happened to it', async () => {
    await withPage(async page => {
      await page.focus('#search-from');
      await page.keyboard.type('100000003');
      await page.keyboard.press('Tab');
      await page.keyboard.type('700000003');
      await page.keyboard.press('Enter');
      await eventually(async () => expect(await page.textContent('#search-status')).toMatch(/^Found 1 time/));
      expect(await page.textContent('.match')).toMatch(
        /was rejected.*OBJECT_NOT_FOUND: No contact with ID 100000003 exists.*HubSpot answered 207/,
      );
      await page.fill('#search-to', '999');
      await page.keyboard.press('Enter');
      await eventually(async () =>
        expect(await page.textContent('#search-status')).toMatch(
          /^Not found;.*Only HubSpot knows whether the association exists/,
        ),
      );
    });
  });

  it('says why a search is refused, in the words of the server', async () => {
    const page = await browser.newPage(); // its console tells of the 400, as it should
    await page.goto(dashboard.url);
    await page.fill('#search-from', 'x y');
    await page.fill('#search-to', '1');
    await page.keyboard.press('Enter');
    await eventually(async () =>
      expect(await page.textContent('#search-status')).toBe('from and to: two record ids are needed'),
    );
    await page.close();
  });

  it('says when it hears nothing any more, and takes it back later', async () => {
    const other = await rig.startDashboard();
    const page = await browser.newPage(); // its console may tell of the connection
    await page.goto(other.url);
    await sentence(page, /^Idle/);
    expect(await page.locator('#connection').isVisible()).toBe(false);
    other.process.kill('SIGSTOP'); // the connection stays, and is silent
    await sentence(page, /^No word from the dashboard since \d\d:\d\d:\d\d; what you see is how it was then/);
    expect(await page.getAttribute('#state', 'data-tone')).toBe('bad');
    expect(await page.textContent('#connection')).toMatch(/^Last known: Idle/);
    other.process.kill('SIGCONT');
    await sentence(page, /^Idle/);
    expect(await page.locator('#connection').isVisible()).toBe(false);
    await page.close();
  });

  it('has a Redis that is away as its headline, with the words of Redis below', async () => {
    const trouble = { since: Date.now(), message: 'connect ECONNREFUSED 127.0.0.1:6379' };
    await withPage(async page => {
      await sentence(page, /^Idle/);
      await page.addInitScript(json => {
        // what a dashboard sends while it cannot read Redis
        globalThis.EventSource = class extends EventTarget {
          constructor() {
            super();
            setInterval(() => this.dispatchEvent(new MessageEvent('trouble', { data: json })), 100);
          }
        } as unknown as typeof EventSource;
      }, JSON.stringify(trouble));
      await page.reload();
      await sentence(page, /^Redis has been away since \d\d:\d\d:\d\d; what you see is how it was then/);
      expect(await page.getAttribute('#state', 'data-tone')).toBe('bad');
      expect(await page.textContent('#connection')).toBe(trouble.message);
    });
  });

  it('pauses and resumes the queue', async () => {
    await withPage(async page => {
      await page.locator('#pause').waitFor(); // hidden until the page knows whether it may act
      await page.focus('#pause');
      await page.keyboard.press('Enter');
      await sentence(page, /^Paused by the dashboard since \S+: what comes now waits until somebody resumes/);
      expect(await rig.queue.isPaused()).toBe(true);
      await page.clock.install();
      await page.click('button:text-is("Resume")');
      await sentence(page, /^Idle/);
      await eventually(async () => expect(await page.textContent('#message')).toBe('Resumed.'));
      await page.clock.fastForward(15_000); // old news by then
      expect(await page.locator('#message').isVisible()).toBe(false);
      expect(await rig.queue.isPaused()).toBe(false);
    });
  });

  it('is readable in the dark and on a phone, with nothing beyond the edge', async () => {
    const ground = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await withPage(
      async page => {
        await rows(page).first().waitFor();
        const dark = await ground(page);
        await expectAccessible(page);
        const { width, inner } = await page.evaluate(() => ({
          width: document.documentElement.scrollWidth,
          inner: innerWidth,
        }));
        expect(width).toBeLessThanOrEqual(inner);
        await page.emulateMedia({ colorScheme: 'light' });
        expect(await ground(page)).not.toBe(dark);
        await eventually(async () => expect(await page.locator('.chart canvas').count()).toBe(6));
      },
      { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
    );
  });

  it('leads to a board whose jobs have titles that a person understands', async () => {
    await withPage(
      async page => {
        await page.getByText('7 rejected, contacts → companies, HUBSPOT_DEFINED:279').waitFor();
      },
      {},
      `${dashboard.url}/queues/queue/hubspot-associations?status=failed`,
    );
  });

  it('asks for the password, and has nothing to press when it is read-only', async () => {
    const httpCredentials = { username: 'oncall', password: 'hunter2' };
    const closed = await rig.startDashboard({
      DASHBOARD_USER: httpCredentials.username,
      DASHBOARD_PASSWORD: httpCredentials.password,
      DASHBOARD_READ_ONLY: 'true',
    });
    const refused = await browser.newPage({ httpCredentials: { ...httpCredentials, password: 'wrong' } });
    expect((await refused.goto(closed.url))?.status()).toBe(401);
    await refused.close();
    await withPage(
      async page => {
        await sentence(page, /^Idle/);
        await rows(page).first().waitFor();
        expect(await page.textContent('#footer')).toMatch(/read-only/);
        expect(await page.locator('header .badge').textContent()).toBe('read-only');
        expect(await page.locator('main button:not(.opener):visible').allTextContents()).toEqual(['Search']);
        await open(page);
        expect(await page.locator('main a.button:visible').allTextContents()).toEqual(['Export']);
      },
      { httpCredentials },
      closed.url,
    );
  });

  it('retries a group that then succeeds, and asks before it discards one', async () => {
    rig.simulator.setOptions({ missing: missing.slice(0, 3).map(([from]) => from) });
    await withPage(async page => {
      await open(page);
      await rig.queue.pause(); // so that the page sees that nothing is rejected for a while
      await details(page).locator('button:text-is("Retry")').click();
      await eventually(async () =>
        expect(await page.textContent('#message')).toMatch(
          /^Put back to be tried again: 7 associations in 1 job\./,
        ),
      );
      await eventually(async () =>
        expect(await page.textContent('#rejection-groups')).toMatch(/Nothing is rejected/),
      );
      await rig.queue.resume();
      await eventually(async () => expect(await tile(page, 'Rejected')).toBe('3'));
      expect(await tile(page, 'Created')).toBe('4,997');

      // the group is still open
      await details(page).locator('button:text-is("Discard")').click();
      expect(await page.textContent('dialog')).toMatch(/3 associations .* will not be created/);
      await expectAccessible(page);
      await page.keyboard.press('Escape');
      expect(await rig.queue.getFailedCount()).toBe(1);
      await details(page).locator('button:text-is("Discard")').click();
      await page.click('dialog button:text-is("Discard")');
      await eventually(async () =>
        expect(await page.textContent('#rejection-groups')).toMatch(/Nothing is rejected/),
      );
      expect(await page.textContent('#message')).toBe('Discarded 3 associations.');
      expect(await rig.queue.getFailedCount()).toBe(0);
    });
  });

  it('shows words from outside as words, whatever is in them', async () => {
    const evil = '<img src=x onerror=alert(1)>';
    const job = await rig.queue.add('other', { version: 9, fromObjectType: evil, toObjectType: evil });
    await withPage(async page => {
      await eventually(async () => expect(await page.textContent('#rejection-groups')).toContain(evil));
      expect(await page.locator('main img').count()).toBe(0);
      expect(await page.textContent('#rejections-total')).toMatch(/^1 job whose data cannot be read;/);
      // buttons of a group stand side by side
      await open(page);
      const tops = await details(page)
        .locator('.buttons > *')
        .evaluateAll(nodes => nodes.map(node => node.getBoundingClientRect().top));
      expect(tops).toHaveLength(3);
      expect(new Set(tops).size).toBe(1);
      const href = await details(page).locator('a.button').getAttribute('href');
      expect(JSON.parse(await (await fetch(dashboard.url + href)).text())).toMatchObject({
        error: { category: 'INVALID_JOB', jobId: job.id, data: JSON.stringify(job.data) },
      });
      await details(page).locator('button:text-is("Discard")').click();
      expect(await page.textContent('#confirm-text')).toMatch(
        /^1 job whose data cannot be read .* will be removed. Export keeps a copy.$/,
      );
      await page.click('dialog button:text-is("Discard")');
      await eventually(async () =>
        expect(await page.textContent('#message')).toBe('Discarded 1 job whose data cannot be read.'),
      );
    });
    expect(await rig.queue.getFailedCount()).toBe(0);
  });

  it('lets no control or direction in ids and words from outside turn anything around', async () => {
    const evil = '7\u001b[2J\u009b\u202e\u2066\u200f7';
    const job = await rig.queue.add(evil, { version: 9, fromObjectType: evil }, { jobId: `x${evil}` });
    await withPage(async page => {
      // what they wrote stands apart from our words, whichever way it is written
      const pair = rows(page).locator('.pair bdi').first();
      await eventually(async () => expect(await pair.textContent()).toMatch(/^7 .*7$/));
      expect(await rows(page).count()).toBe(1);
      const text = (await page.textContent('body')) ?? '';
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      await open(page);
      const link = details(page).locator('.examples a');
      expect(await link.textContent()).toMatch(/^x7/);
      const href = await link.getAttribute('href');
      expect(href).toBe(`/queues/queue/hubspot-associations/${encodeURIComponent(job.id ?? '')}`);
    });
    await job.remove();
  });

  describe('with 300 kinds of rejections and 200 requests', () => {
    const requests = (page: Page) => page.locator('#request-list tbody tr');
    const said = (page: Page, id: string, text: RegExp) =>
      eventually(async () => expect(await page.textContent(id)).toMatch(text));
    beforeAll(async () => {
      await seedRejections(rig.redis, rig.keys, 300);
      await seedRequests(rig.redis, rig.keys, 200);
    });

    it('filters, opens, selects and folds rejections without a mouse', async () => {
      await withPage(async page => {
        await said(page, '#rejections-found', /^300 kinds$/);
        expect(await rows(page).count()).toBe(20);
        await page.focus('#rejections-filter');
        await page.keyboard.type('p4711 not_found');
        await said(page, '#rejections-found', /^\d\d of 300 kinds$/);
        for (let key = 0; key < 3; key++) await page.keyboard.press('Tab'); // past order and fold, to the first line
        await page.keyboard.press('Space');
        await said(page, '#rejections-chosen-text', /^1 kind selected, \d+ associations$/);
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await eventually(async () => expect(await details(page).locator('.examples li').count()).toBe(5));
        // to the five jobs, retry, export
        for (let key = 0; key < 7; key++) await page.keyboard.press('Tab');
        const focused = page.locator(':focus');
        expect(await focused.textContent()).toBe('Export');
        const exported = await fetch(new URL((await focused.getAttribute('href')) ?? '', dashboard.url));
        const lines = (await exported.text()).trim().split('\n');
        expect(await page.textContent('#rejections-chosen-text')).toBe(
          `1 kind selected, ${lines.length} associations`,
        );
        await page.check('#rejections-all');
        const [, found] = /^(\d+) of/.exec((await page.textContent('#rejections-found')) ?? '') ?? [];
        await said(page, '#rejections-chosen-text', new RegExp(`^${found} kinds selected`));
        await page.fill('#rejections-filter', '');
        await page.selectOption('#rejections-fold', 'objectPair');
        expect(await page.locator('#rejection-groups tr.fold').allTextContents()).toEqual([
          expect.stringMatching(/^contacts → companies [\d,]+ associations of 240 kinds$/),
          expect.stringMatching(/^p4711_\w+ → p4711_\w+ [\d,]+ associations of 60 kinds$/),
        ]);
        await page.locator('#rejection-groups tr.fold .opener').last().press('Enter');
        expect(await rows(page).count()).toBe(60);
      });
    });

    it('shows the requests that have not ended first, then the latest, older ones and one state on demand', async () => {
      await withPage(async page => {
        await said(page, '#requests-total', /^200 requests$/);
        expect(await requests(page).count()).toBe(10);
        const states = await page.locator('#request-list .badge').allTextContents();
        expect(states).toEqual([
          ...['enqueueing', 'open', 'interrupted', 'open', 'interrupted', 'open'],
          ...['interrupted', 'open', 'interrupted', 'cancelled'],
        ]);
        expect(await requests(page).first().textContent()).toMatch(
          /contacts-to-companies-0\.csv.*10 % of 1,000 associations: 100 created, 3 rejected, 897 queued/,
        );
        for (const shown of [60, 110]) {
          await page.click('#requests-more');
          await eventually(async () => expect(await requests(page).count()).toBe(shown));
        }
        await page.selectOption('#requests-state', 'cancelled');
        await eventually(async () => expect(await requests(page).count()).toBe(4));
        await page.fill('#requests-filter', 'day 183');
        expect(await requests(page).count()).toBe(1);
      });
    });

    it('has a page for one request: its reasons, its history, its actions', async () => {
      await withPage(async page => {
        await page.getByRole('link', { name: 'contacts-to-companies-0.csv', exact: true }).click();
        await sentence(page, /^contacts-to-companies-0\.csv: enqueueing/);
        expect(await page.locator('#reasons tbody tr').allTextContents()).toEqual([
          '2OBJECT_NOT_FOUND No contact with ID … exists',
          '1VALIDATION_ERROR … is not a valid ID',
        ]);
        expect(await page.locator('#history li').allTextContents()).toEqual([
          expect.stringMatching(/enqueued by revops@workstation, from a file$/),
          expect.stringMatching(/first association decided/),
          expect.stringMatching(/latest association decided/),
        ]);
        expect(await page.locator('#controls .buttons > :visible').allTextContents()).toEqual([
          ...['Retry', 'Export', 'Cancel'],
        ]);
        await expectAccessible(page);
      });
    });

    it('cancels what is queued of a request, after it has asked', async () => {
      await rig.queue.pause(); // nothing of it is sent meanwhile
      await seedQueuedRequest(
        rig.queue,
        rig.redis,
        rig.keys,
        'the wrong file.csv',
        goodPairs(2_000, 800_000_000),
      );
      await withPage(async page => {
        await page.fill('#requests-filter', 'wrong file');
        const request = requests(page).filter({ hasText: '2,000 queued' });
        await request.locator('button:text-is("Cancel")').press('Enter');
        expect(await page.textContent('#confirm-text')).toMatch(
          /^2,000 associations of the wrong file\.csv that nobody has sent yet will be taken out of the queue/,
        );
        await page.keyboard.press('Escape');
        expect(await rig.queue.count()).toBe(20);
        await request.locator('button:text-is("Cancel")').press('Enter');
        await page.click('dialog button:text-is("Cancel the request")');
        await said(
          page,
          '#message',
          /^Cancelled 2,000 associations of the wrong file\.csv; 0 were decided already\.$/,
        );
        await said(
          page,
          '#request-list',
          /the wrong file\.csv.*cancelled100 % of 2,000 associations: 2,000 cancelledby the dashboard/,
        );
        expect(await rig.queue.count()).toBe(0);
      });
      await rig.queue.resume();
    });

    it.each([1_440, 768, 390])('lets every button be reached at %d px', async width => {
      await withPage(
        async page => {
          await said(page, '#rejections-found', /^300 kinds$/);
          await page.check('#rejection-groups tr.line input >> nth=3');
          await open(page);
          await eventually(async () => expect(await details(page).locator('.examples li').count()).toBe(5));
          expect(await page.evaluate(cutOff)).toEqual([]);
          await expectAccessible(page);
        },
        { viewport: { width, height: 900 } },
      );
    });
  });

  (process.env.SCREENSHOTS ? it : it.skip)(
    'gives the screenshots of the README',
    async () => {
      const directory = new URL('../../docs/images/', import.meta.url).pathname;
      mkdirSync(directory, { recursive: true });
      rig.simulator.setOptions({ rateLimitCalls: 100, latencyMs: 60, missing: [] });
      const more = goodPairs(900_000, 300_000_000).map(
        ([from, to], at): Pair =>
          at % 4_001 === 7 ? [`${999_000_000 + at}`, to] : at % 9_001 === 5 ? [`row-${at}`, to] : [from, to],
      );
      await worker.end('SIGTERM');
      await rig.enqueue(more, 500);
      await seedHistory(rig.redis, rig.keys, more.length);
      const { url } = await rig.startDashboard(); // the other one has read the past already
      const quota = { RATE_LIMIT_CALLS: '100', DAILY_CALL_LIMIT: '500000' };
      for (let count = 0; count < 2; count++) rig.startWorker(quota);
      for (const [name, options] of [
        ['dashboard', { colorScheme: 'light' }],
        ['dashboard-dark', { colorScheme: 'dark' }],
        ['dashboard-phone', { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
      ] as const)
        await withPage(
          async page => {
            await sentence(page, /^Flowing: (1[5-9]|2[0-4]),\d00\/s.*quota-bound/);
            await rows(page).nth(1).waitFor();
            await page.waitForFunction(() => document.querySelectorAll('.chart canvas').length === 6);
            await page.screenshot({
              path: `${directory}${name}.png`,
              ...(name === 'dashboard' && { fullPage: true }),
            });
          },
          options,
          url,
        );
      await rig.queue.pause();
      await eventually(async () => expect(await rig.queue.getActiveCount()).toBe(0), 60_000);
    },
    180_000,
  );
});
