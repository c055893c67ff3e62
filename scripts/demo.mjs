// Runs the whole product on this machine: files → queue → two workers → a simulated HubSpot. At the end it checks that
// every association is accounted for. `npm run demo` runs it; it exits 0 only if all numbers agree.
// Not here: what is enqueued (demo-data.mjs), processes (demo-processes.mjs), the display (demo-screen.mjs), the
// check (demo-verdict.mjs).
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { withQueue } from '../dist/dashboard/connection.js';
import { readStats } from '../dist/dashboard/overview/stats.js';
import { count } from '../dist/dashboard/text/figures.js';
import { parseConfig } from '../dist/shared/runtime/config.js';
import { demoFaults, demoFiles, writeCsv } from './demo-data.mjs';
import { Processes } from './demo-processes.mjs';
import { Screen, took } from './demo-screen.mjs';
import { checkEverything, rejectionTable } from './demo-verdict.mjs';

const LIMIT = 100;
const WINDOW_MS = 4_000;
const LATENCY_MS = 80;
const WORKERS = 2;
/** If nothing was created, rejected or retried for this long, the demo is stuck. */
const STUCK_MS = 60_000;
const LEAST = 2_000;

const USAGE = `usage: npm run demo -- [--associations N]
  --associations N   how many, from ${count(LEAST)} (default 200000)`;

function readOptions() {
  const fail = problem => {
    process.stderr.write(`demo: ${problem}\n${USAGE}\n`);
    process.exit(2);
  };
  try {
    const options = { associations: { type: 'string', default: '200000' }, help: { type: 'boolean' } };
    const { values } = parseArgs({ options });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      process.exit(0);
    }
    const associations = Number(values.associations);
    if (!/^\d+$/.test(values.associations) || associations < LEAST || associations > 5_000_000)
      fail(`--associations "${values.associations}" is not an integer from ${LEAST} to 5000000`);
    if (!process.env.REDIS_URL) fail('REDIS_URL is not set: npm run demo finds or starts a Redis');
    return { associations, redisUrl: process.env.REDIS_URL };
  } catch (error) {
    return fail(error.message);
  }
}

/** @returns true if everything agrees */
async function demo(associations, processes, ended) {
  const since = Date.now();
  const screen = new Screen();
  const files = demoFiles(associations);
  const faults = demoFaults(files);
  const bad = files.reduce((sum, file) => sum + file.bad, 0);
  screen.print(
    [
      `${count(associations)} associations of ${files.length} object pairs go from CSV files through Redis and ${WORKERS} workers`,
      `to a HubSpot stand-in that allows ${LIMIT} calls in any ${WINDOW_MS / 1_000} s (HubSpot: in 10 s).`,
      `${count(bad)} of them are bad, in every way that the stand-in knows, and ${faults.length} of its answers fail on purpose.`,
      "Each must end up created, or rejected with its reason. The stand-in's ledger is the judge.",
      '',
    ].join('\n'),
  );

  const url = await startSimulator(processes, ended, faults);
  const workers = Array.from({ length: WORKERS }, (_, at) =>
    processes.start(`worker ${at + 1}`, ['worker'], ended.fail, { HUBSPOT_BASE_URL: url }),
  );
  const config = parseConfig(processes.settings);
  const enqueued = { accepted: 0, done: false };
  const importing = enqueueAll(files, processes, screen, enqueued);
  const stats = await withQueue(config, access =>
    watch({ access, config, expected: associations, enqueued, importing, screen, since }, ended),
  );
  const queued = await withQueue(config, queuedAssociations);
  const list = JSON.parse(await processes.run('failures', 'list', '--json'));
  const failures = await processes.run('failures', 'export');
  const killed = await processes.stop(...workers);

  screen.print(`\n${rejectionTable(list)}\n\nChecked against the stand-in's ledger:`);
  const { created, rejected } = stats.associations;
  const numbers = { accepted: enqueued.accepted, created, rejected, queued };
  const checks = [
    ...(await checkEverything({
      ...numbers,
      files,
      faults,
      url,
      failures,
      limit: LIMIT,
      windowMs: WINDOW_MS,
      batchMax: config.batchMaxInputs,
    })),
    { ok: queued === 0, text: `${count(queued)} associations are left in the queue` },
    {
      ok: killed.length === 0,
      text: `SIGTERM ended both workers${killed.map(name => `, not ${name}`).join('')}`,
    },
  ];
  for (const { ok, text } of checks) screen.print(`  ${ok ? 'ok  ' : 'FAIL'} ${text}`);
  const sums = enqueued.accepted === created + rejected + queued;
  const good = sums && checks.every(({ ok }) => ok);
  screen.print(`\n${good ? 'All of it agrees' : 'It does NOT agree'}; ${took(Date.now() - since)} in all.`);
  const sum = `accepted ${numbers.accepted} = created ${created} + rejected ${rejected} + queued ${queued}`;
  screen.print(good ? sum : `${sum}: ${sums ? 'the sum is right, the checks marked FAIL are not' : 'WRONG'}`);
  return good;
}

/** @returns the simulator's URL; the faults are scripted */
async function startSimulator(processes, ended, faults) {
  const flags = {
    port: 0,
    'latency-ms': LATENCY_MS,
    'rate-limit-calls': LIMIT,
    'rate-limit-window-ms': WINDOW_MS,
    'access-token': processes.settings.HUBSPOT_ACCESS_TOKEN,
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const simulator = processes.start('HubSpot stand-in', ['simulator', ...args], ended.fail);
  let url;
  while (!url) {
    await ended.orAfter(50);
    url = /listening on (\S+)/.exec(simulator.said())?.[1];
  }
  const body = JSON.stringify(faults.map(({ fault }) => fault));
  const scripted = await fetch(`${url}/_simulator/faults`, { method: 'POST', body });
  if (!scripted.ok) throw new Error(`the stand-in refuses the faults: ${await scripted.text()}`);
  return url;
}

/** Enqueues one file after the other with the command that a user would run. */
async function enqueueAll(files, processes, screen, enqueued) {
  for (const file of files) {
    const path = await writeCsv(file, processes.directory);
    const options = ['--from', file.from, '--to', file.to, '--type', file.type];
    const said = await processes.run('enqueue', path, ...options);
    const [, associations] = /^enqueued (\d+) associations in \d+ jobs/m.exec(said) ?? [];
    if (associations === undefined) throw new Error(`enqueue did not say how many: ${said}`);
    enqueued.accepted += Number(associations);
    screen.print(`$ association-queue enqueue ${file.name} ${options.join(' ')}\n  ${said.trim()}`);
  }
  enqueued.done = true;
}

/** Shows the progress until every accepted association is created or rejected. @returns the last stats */
async function watch({ access, config, expected, enqueued, importing, screen, since }, ended) {
  importing.catch(ended.fail);
  let moved = { at: Date.now(), sum: -1 };
  for (;;) {
    const { stats } = await readStats(access, config);
    const { created, rejected, retried } = stats.associations;
    const { waiting, active, delayed } = stats.jobs;
    const isDone = enqueued.done && waiting + active + delayed === 0;
    const elapsedMs = Date.now() - since;
    const state = {
      accepted: enqueued.accepted,
      allEnqueued: enqueued.done,
      expected,
      stats,
      elapsedMs,
      batchMax: config.batchMaxInputs,
    };
    screen.show(state, isDone);
    if (isDone) return stats;
    if (created + rejected + retried !== moved.sum)
      moved = { at: Date.now(), sum: created + rejected + retried };
    if (Date.now() - moved.at > STUCK_MS)
      throw new Error(
        `stuck: nothing has moved for ${STUCK_MS / 1_000} s; ${waiting} jobs waiting, ${active} active, ${delayed} delayed, ${created + rejected} of ${enqueued.accepted} associations settled`,
      );
    await ended.orAfter(screen.everyMs);
  }
}

/** Counts the associations in the jobs themselves and not by the totals. */
async function queuedAssociations({ queue }) {
  const jobs = await queue.getJobs(['waiting', 'prioritized', 'active', 'delayed', 'paused']);
  return jobs.reduce((sum, job) => sum + job.data.pairs.length, 0);
}

/** Events that end the demo early: a signal, a process that dies. */
function untimelyEnd() {
  const controller = new AbortController();
  const fail = error => controller.abort(error);
  return {
    fail,
    signal: controller.signal,
    async orAfter(ms) {
      try {
        await sleep(ms, undefined, { signal: controller.signal });
      } catch {
        throw controller.signal.reason;
      }
    },
  };
}

class Interrupted extends Error {}

async function removeKeys(redisUrl, prefix) {
  const redis = new Redis(redisUrl, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 1_000 }))
      if (keys.length > 0) await redis.unlink(keys);
  } catch {
    // Ctrl-C has also ended the Redis that was started for the demo, with its keys
  } finally {
    redis.disconnect();
  }
}

async function main() {
  const options = readOptions();
  const prefix = `demo-${process.pid}-${randomBytes(3).toString('hex')}`;
  const ended = untimelyEnd();
  // Ctrl-C reaches every process of the terminal, and this one a second time through with-redis; that does no harm
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => ended.fail(new Interrupted(signal)));
  const processes = new Processes({
    REDIS_URL: options.redisUrl,
    QUEUE_PREFIX: prefix,
    HUBSPOT_ACCESS_TOKEN: 'demo-token',
    RATE_LIMIT_CALLS: String(LIMIT),
    RATE_LIMIT_WINDOW_MS: String(WINDOW_MS),
    RETRY_BACKOFF_MS: '100',
    JOB_ATTEMPTS: '6',
    METRICS_PORT: '0',
    SHUTDOWN_TIMEOUT_MS: '10000',
    LOG_LEVEL: 'warn',
  });
  let code = 1;
  try {
    code = (await demo(options.associations, processes, ended)) ? 0 : 1;
  } catch (error) {
    const early = ended.signal.aborted ? ended.signal.reason : error;
    if (early instanceof Interrupted) code = 128 + os.constants.signals[early.message];
    process.stderr.write(
      early instanceof Interrupted
        ? `\ndemo: interrupted (${early.message})\n`
        : `\ndemo: ${early.message}\n`,
    );
  } finally {
    await processes.clear();
    await removeKeys(options.redisUrl, prefix);
  }
  process.exit(code);
}

await main();
