/**
 * Waits until a request is over, for `requests wait` and `enqueue --wait`: shows progress and prints the outcome.
 * Exit codes: 0 all created · 1 some rejected or cancelled · 3 not over: the time is up, somebody has interrupted the wait or
 * the enqueueing, or Redis cannot be used.
 */
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import type { Config } from '../../shared/runtime/config.js';
import { openRedis } from '../../shared/runtime/redis.js';
import { harmless } from '../../shared/runtime/text.js';
import { settlesWithin } from '../../shared/runtime/wait.js';
import { Follower, isOver } from '../../shared/state/follower.js';
import { RequestReader, type RequestView } from '../../shared/state/requests.js';
import { type QueueAccess, unreachable, withQueue } from '../connection.js';
import { print, printJson } from '../output.js';
import { nextSteps } from '../text/request-words.js';
import { outcomeText } from '../text/requests-text.js';
import { findRequest } from './find-request.js';
import { readStandStill } from './stand-still.js';
import { WaitDisplay } from './wait-display.js';

export type WaitOptions = {
  /** id of a request, or its beginning */
  readonly given: string;
  /** seconds; absent: as long as it takes */
  readonly timeout?: number | undefined;
  /** prints the request as `requests show --json` does, instead of one line */
  readonly json?: boolean;
};

/** Why a wait ended before its request. */
type Early = 'time is up' | 'interrupted' | undefined;
type Waited = { readonly request: RequestView; readonly early: Early };

/** Exit code. */
export const NOT_OVER = 3;

/** @returns the exit code @throws ConfigError if there is no such request */
export async function runWait(config: Config, options: WaitOptions): Promise<number> {
  const display = new WaitDisplay(process.stderr);
  try {
    const { request, early } = await withQueue(config, access => wait(access, config, options, display));
    display.end();
    await (options.json ? printJson(request, 2) : print(outcomeText(request)));
    for (const text of adviceOf(request, early)) process.stderr.write(`${harmless(text)}\n`);
    return codeOf(request, early);
  } catch (error) {
    display.end();
    if (error instanceof ConfigError) throw error;
    process.stderr.write(`${harmless(messageOf(error))}\n`);
    return NOT_OVER;
  }
}

async function wait(
  access: QueueAccess,
  config: Config,
  { given, timeout }: WaitOptions,
  display: WaitDisplay,
): Promise<Waited> {
  const { redis, keys } = access;
  const end = new EarlyEnd();
  const reader = new RequestReader(redis, keys);
  const follower = new Follower({
    ...{ redis, keys, connected: async () => {} },
    connect: () => openRedis(config.redisUrl, 'hasty'),
  });
  const showWithReason = async (request: RequestView) => {
    // if Redis cannot be read, the next reading of the request says so
    const reason = await readStandStill(access, config).catch(() => '');
    if (!end.signal.aborted) display.show(request, reason);
  };
  try {
    const id = await findRequest(access, reader, given);
    const followed = follower.waitFor(id, {
      signal: end.signal,
      lookMs: display.everyMs,
      onLook: request => void (isOver(request) ? display.show(request, '') : showWithReason(request)),
      onTrouble: error => display.trouble(`${messageOf(unreachable(config, error))}; trying again`),
    });
    if (timeout !== undefined && !(await settlesWithin(followed, timeout * 1_000))) end.now('time is up');
    const request = await followed.catch(async error => {
      const latest = end.why && (await reader.read(id));
      if (!latest) throw error;
      return latest;
    });
    return { request, early: end.why };
  } finally {
    end.release();
    follower.close();
  }
}

/** Ends a wait early, by the clock or by a signal of the system, and knows why. */
class EarlyEnd {
  why: Early;
  readonly #ended = new AbortController();
  readonly #interrupt = () => this.now('interrupted');

  constructor() {
    for (const signal of SIGNALS) process.once(signal, this.#interrupt);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  now(why: Early): void {
    this.why ??= why;
    this.#ended.abort();
  }

  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt);
  }
}
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Pure. */
export function codeOf({ state, rejected, cancelled }: RequestView, early: Early): number {
  if (early || state === 'interrupted') return NOT_OVER;
  return rejected + cancelled > 0 || state === 'cancelled' ? 1 : 0;
}

function adviceOf(request: RequestView, early: Early): string[] {
  const why = early ? [`${early}: the request goes on without this command`] : [];
  const steps = nextSteps(request);
  return [...why, ...(steps.length > 0 ? ['next:', ...steps.map(step => `  ${step}`)] : [])];
}
