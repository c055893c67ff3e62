/** Composition root of the operator's commands: opens the queue, calls one function, prints its result. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { messageOf } from '../shared/contract/errors.js';
import type { Config } from '../shared/runtime/config.js';
import { RedisAsker } from '../shared/runtime/redis-asker.js';
import { redisPlace } from '../shared/runtime/redis-url.js';
import { harmless, harmlessJson } from '../shared/runtime/text.js';
import { sleep } from '../shared/runtime/wait.js';
import { userAtHost } from '../shared/runtime/who.js';
import { RequestReader } from '../shared/state/requests.js';
import { type QueueAccess, unreachable, withQueue } from './connection.js';
import { latestFailure } from './failures/failed-jobs.js';
import type { Grouping } from './failures/failure-groups.js';
import {
  categoriesBeside,
  discardFailures,
  exportFailures,
  type FailureFilter,
  isNamedByFailures,
  retryFailures,
  summariseFailures,
} from './failures/failures.js';
import { print, printJson, write } from './output.js';
import { StateReader } from './overview/state-reader.js';
import { readStats, redisOf } from './overview/stats.js';
import { pauseQueue, resumeQueue } from './pause.js';
import { findRequest } from './requests/find-request.js';
import { canDraw, watchOnScreen } from './terminal/watch.js';
import {
  discardQuestion,
  discardText,
  exportText,
  listText,
  meansYes,
  NOT_DISCARDED,
  retryText,
  unknownCategoryText,
} from './text/failures-text.js';
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
    if (json) return printJson(await statsReader(access, config)(), 2);
    const reading = await new StateReader(access, config).read();
    await print(statsText(reading, redisPlace(config.redis), process.stdout.columns));
  });
}

/** Reads what `stats --json` prints. */
function statsReader(access: QueueAccess, config: Config) {
  const asker = new RedisAsker(access.redis);
  return async () => {
    const [{ stats }, server] = await Promise.all([readStats(access, config), asker.facts()]);
    return { ...stats, redis: redisOf(server) };
  };
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
  const stats = statsReader(access, config);
  const line = async () => (json ? printJson(await stats()) : print(statsLine(await reader.read())));
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
      ...(request !== undefined && { request: await requestOf(access, request) }),
    };
    /** Asked when nothing matches. */
    const why = async () =>
      filter.category === undefined
        ? ''
        : unknownCategoryText(filter.category, await categoriesBeside(access, filter));
    switch (verb) {
      case 'list': {
        const summary = await summariseFailures(access, filter, groupBy);
        if (json) await printJson(summary, 2);
        else {
          const isFiltered = Object.keys(given).length > 0;
          await print(listText(summary, isFiltered, summary.jobs === 0 ? await why() : ''));
        }
        return 0;
      }
      case 'retry': {
        const retried = await retryFailures(access, filter);
        await print(retryText(retried, retried.jobs === 0 ? await why() : ''));
        return 0;
      }
      case 'export': {
        const exported = await exportFailures(access, filter, lines => write(harmlessJson(lines)));
        const isEmpty = exported.associations + exported.unreadable === 0;
        process.stderr.write(`${exportText(exported, isEmpty ? await why() : '')}\n`);
        return 0;
      }
      case 'discard': {
        // jobs that fail while the operator answers were not part of the question
        const until = await latestFailure(access);
        const asked = { ...filter, ...(until !== undefined && { until }) };
        if (!yes) {
          const summary = await summariseFailures(access, asked);
          if (summary.jobs > 0 && !(await confirmed(discardQuestion(summary)))) {
            await print(NOT_DISCARDED);
            return 1;
          }
        }
        const discarded = await discardFailures(access, asked);
        const isEmpty = discarded.jobsRemoved + discarded.jobsShrunk === 0;
        await print(discardText(discarded, isEmpty ? await why() : ''));
        return 0;
      }
    }
  });
}

/** The record of a request may be gone before its rejections are; other clients name requests that have none. */
const requestOf = (access: QueueAccess, given: string): Promise<string> =>
  findRequest(access, new RequestReader(access.redis, access.keys), given, id =>
    isNamedByFailures(access, id),
  );

async function confirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = once(terminal, 'close').then(() => ''); // Ctrl-D and Ctrl-C mean no
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    return meansYes(answer);
  } finally {
    terminal.close();
  }
}
