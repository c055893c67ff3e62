/** Composition root of the operator's commands: opens the queue, calls one function, prints what it says. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Config } from '../shared/config.js';
import { messageOf } from '../shared/errors.js';
import { redisPlace } from '../shared/redis.js';
import { sleep } from '../shared/wait.js';
import { unreachable, withQueue } from './connection.js';
import { latestFailure } from './failed-jobs.js';
import type { Grouping } from './failure-groups.js';
import {
  discardFailures,
  exportFailures,
  type FailureFilter,
  retryFailures,
  summariseFailures,
} from './failures.js';
import { discardQuestion, discardText, exportText, listText, retryText } from './failures-text.js';
import { readStats } from './stats.js';
import { statsLine, statsText } from './stats-text.js';

const WATCH_EVERY_MS = 1_000;
/** Cursor home, and erase to the end of the line or of the screen: redrawing this way does not flicker. */
const HOME = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';

/** Prints one snapshot, or one every second until SIGINT or SIGTERM. */
export async function runStats(config: Config, options: { json: boolean; watch: boolean }): Promise<void> {
  const place = redisPlace(config.redisUrl);
  await withQueue(config, async access => {
    const snapshot = await readStats(access, config);
    if (!options.watch) {
      await print(options.json ? JSON.stringify(snapshot.stats, null, 2) : statsText(snapshot, place));
      return;
    }
    const redraw = process.stdout.isTTY && !options.json;
    if (redraw) await write(`${HOME}${ERASE_BELOW}`);
    for await (const text of watch(async () => {
      const current = await readStats(access, config);
      if (options.json) return JSON.stringify(current.stats);
      return redraw ? `${statsText(current, place)}\n\nevery second; Ctrl-C ends it` : statsLine(current);
    }, config)) {
      if (redraw)
        await write(`${HOME}${text.replaceAll('\n', `${ERASE_LINE}\n`)}${ERASE_LINE}\n${ERASE_BELOW}`);
      else await print(text);
    }
  });
}

/** Once it runs, an outage of Redis is a thing to watch, not an end. */
async function* watch(read: () => Promise<string>, config: Config): AsyncGenerator<string> {
  const ended = new AbortController();
  const end = () => ended.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  while (!ended.signal.aborted) {
    try {
      yield await read();
    } catch (error) {
      process.stderr.write(`${messageOf(unreachable(config, error))}; trying again\n`);
    }
    await sleep(WATCH_EVERY_MS, ended.signal);
  }
}

export type FailureVerb = 'list' | 'retry' | 'export' | 'discard';
export type FailureOptions = FailureFilter & { json?: boolean; yes?: boolean; groupBy?: Grouping };

/** @returns the exit code */
export async function runFailures(
  config: Config,
  verb: FailureVerb,
  options: FailureOptions,
): Promise<number> {
  const { json = false, yes = false, groupBy, ...filter } = options;
  return withQueue(config, async access => {
    switch (verb) {
      case 'list': {
        const summary = await summariseFailures(access, filter, groupBy);
        await print(json ? JSON.stringify(summary, null, 2) : listText(summary));
        return 0;
      }
      case 'retry':
        await print(retryText(await retryFailures(access, filter)));
        return 0;
      case 'export':
        process.stderr.write(`${exportText(await exportFailures(access, filter, write))}\n`);
        return 0;
      case 'discard': {
        // what fails while the question stands was not in the question
        const until = await latestFailure(access);
        const asked = { ...filter, ...(until !== undefined && { until }) };
        if (!yes) {
          const summary = await summariseFailures(access, asked);
          if (summary.jobs > 0 && !(await confirmed(discardQuestion(summary)))) {
            await print('Nothing was discarded.');
            return 1;
          }
        }
        await print(discardText(await discardFailures(access, asked)));
        return 0;
      }
    }
  });
}

async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = once(terminal, 'close').then(() => ''); // Ctrl-D and Ctrl-C are a no
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}

const print = (text: string): Promise<void> => write(`${text}\n`);

/** Waits for a slow reader: an export of any size stays out of memory. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}
