/** Waits until a request is over, for `requests wait` and `enqueue --wait`: shows progress, prints the outcome (outcome.ts). */
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import { NOT_OVER } from '../../shared/contract/exit-codes.js';
import type { Config } from '../../shared/runtime/config.js';
import { openRedis } from '../../shared/runtime/redis.js';
import { harmless } from '../../shared/runtime/text.js';
import { settlesWithin } from '../../shared/runtime/wait.js';
import { Follower, isOver } from '../../shared/state/follower.js';
import { RequestReader, type RequestView } from '../../shared/state/requests.js';
import { type QueueAccess, unreachable, withQueue } from '../connection.js';
import { print, printJson } from '../output.js';
import { outcomeText } from '../text/requests-text.js';
import { findRequest } from './find-request.js';
import { adviceOf, codeOf, type Early } from './outcome.js';
import { standStillReader } from './stand-still.js';
import { WaitDisplay } from './wait-display.js';

export type WaitOptions = {
  /** id of a request, or its beginning */
  readonly given: string;
  /** seconds; absent: as long as it takes */
  readonly timeout?: number | undefined;
  /** prints the request as `requests show --json` does, instead of one line */
  readonly json?: boolean;
};

type Waited = { readonly request: RequestView; readonly early: Early };

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
    ...{ redis, keys, run: commands => commands() },
    connect: () => openRedis(config.redis, 'hasty'),
  });
  const readStandStill = standStillReader(access, config);
  const showWithReason = async (request: RequestView) => {
    // if Redis cannot be read, the next reading of the request says so
    const reason = await readStandStill().catch(() => '');
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
    // it may have ended in the last moment
    return { request, early: isOver(request) ? undefined : end.why };
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
