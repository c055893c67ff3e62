/** Composition root of the operator's commands: opens the queue, calls one function, prints its result. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { messageOf } from '../shared/contract/errors.js';
import type { Config } from '../shared/runtime/config.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { harmless, harmlessJson } from '../shared/runtime/text.js';
import { sleep } from '../shared/runtime/wait.js';
import { userAtHost } from '../shared/runtime/who.js';
import { type QueueAccess, unreachable, withQueue } from './connection.js';
import { latestFailure } from './failures/failed-jobs.js';
import type { Grouping } from './failures/failure-groups.js';
import {
  discardFailures,
  exportFailures,
  type FailureFilter,
  retryFailures,
  summariseFailures,
} from './failures/failures.js';
import { print, printJson, write } from './output.js';
import { StateReader } from './overview/state-reader.js';
import { readStats } from './overview/stats.js';
import { pauseQueue, resumeQueue } from './pause.js';
import { requestInJobs } from './requests/find-request.js';
import { canDraw, watchOnScreen } from './terminal/watch.js';
import { discardQuestion, discardText, exportText, listText, retryText } from './text/failures-text.js';
import { statsLine, statsText } from './text/stats-text.js';

const WATCH_EVERY_MS = 1_000;

/** Prints one snapshot, or with --watch the state every second until SIGINT or SIGTERM: on the whole terminal, or as lines. */
export async function runStats(config: Config, options: { json: boolean; watch: boolean }): Promise<void> {
  const { json } = options;
  await withQueue(config, async access => {
    if (options.watch) {
      const ended = endOfWatching();
      if (!json && canDraw(process.stdout, process.env))
        return watchOnScreen(access, config, process.stdout, ended);
      return watchInLines(access, config, json, ended);
    }
    if (json) return printJson((await readStats(access, config)).stats, 2);
    const reading = await new StateReader(access, config).read();
    await print(statsText(reading, redisPlace(config.redisUrl), process.stdout.columns));
  });
}

function endOfWatching(): AbortSignal {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => ended.abort());
  return ended.signal;
}

/** Prints a line each second, as JSON or words. An outage of Redis after the start does not end it. */
async function watchInLines(
  access: QueueAccess,
  config: Config,
  json: boolean,
  ended: AbortSignal,
): Promise<void> {
  const reader = new StateReader(access, config);
  const line = async () =>
    json ? printJson((await readStats(access, config)).stats) : print(statsLine(await reader.read()));
  await readStats(access, config);
  while (!ended.aborted) {
    try {
      await line();
    } catch (error) {
      process.stderr.write(`${harmless(messageOf(unreachable(config, error)))}; trying again\n`);
    }
    await sleep(WATCH_EVERY_MS, ended);
  }
}

/** @returns the exit code */
export async function runPause(config: Config, reason: string | undefined): Promise<number> {
  await withQueue(config, access => pauseQueue(access, userAtHost(), reason));
  await print(
    'Paused: workers finish what they have in hand and take no new jobs. To go on: association-queue resume',
  );
  return 0;
}

/** @returns the exit code */
export async function runResume(config: Config): Promise<number> {
  const wasPaused = await withQueue(config, resumeQueue);
  await print(wasPaused ? 'Resumed.' : 'The queue was not paused.');
  return 0;
}

export type FailureVerb = 'list' | 'retry' | 'export' | 'discard';
export type FailureOptions = FailureFilter & { json?: boolean; yes?: boolean; groupBy?: Grouping };

/** @returns the exit code */
export async function runFailures(
  config: Config,
  verb: FailureVerb,
  options: FailureOptions,
): Promise<number> {
  const { json = false, yes = false, groupBy, ...given } = options;
  return withQueue(config, async access => {
    const { request } = given;
    const filter = {
      ...given,
      ...(request !== undefined && { request: await requestInJobs(access, request) }),
    };
    switch (verb) {
      case 'list': {
        const summary = await summariseFailures(access, filter, groupBy);
        await (json ? printJson(summary, 2) : print(listText(summary, Object.keys(given).length > 0)));
        return 0;
      }
      case 'retry':
        await print(retryText(await retryFailures(access, filter)));
        return 0;
      case 'export': {
        const exported = await exportFailures(access, filter, lines => write(harmlessJson(lines)));
        process.stderr.write(`${exportText(exported)}\n`);
        return 0;
      }
      case 'discard': {
        // jobs that fail while the operator answers were not part of the question
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
  const closed = once(terminal, 'close').then(() => ''); // Ctrl-D and Ctrl-C mean no
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    return answer.trim().toLowerCase() === 'yes';
  } finally {
    terminal.close();
  }
}
