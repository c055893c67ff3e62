/**
 * `association-queue requests cancel`: takes a request back, lists it on demand, shows progress, and prints the result.
 */
import { messageOf } from '../../shared/contract/errors.js';
import type { Config } from '../../shared/runtime/config.js';
import { harmless } from '../../shared/runtime/text.js';
import { userAtHost } from '../../shared/runtime/who.js';
import { type CancelProgress, cancelRequest } from '../../shared/state/cancel-request.js';
import { RequestReader } from '../../shared/state/requests.js';
import { type QueueAccess, withQueue } from '../connection.js';
import { type CancelEnd, cancelEndText } from '../text/cancel-text.js';
import { CancelDisplay } from './cancel-display.js';
import { CancelList } from './cancel-list.js';
import { findRequest } from './find-request.js';
import { CancelLister } from './list-cancelled.js';
import { standStillReader } from './stand-still.js';

/** `id` may be the beginning of one. */
export type CancelCommand = { readonly id: string; readonly list?: string | undefined };

/** @returns the exit code @throws ConfigError if there is no such request, or the list cannot be written: nothing has changed */
export async function runCancel(config: Config, { id, list: path }: CancelCommand): Promise<number> {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ended.abort());
  const list = path === undefined ? undefined : await CancelList.open(path);
  const display = new CancelDisplay(process.stderr);
  try {
    const end = await withQueue(config, access =>
      cancel(access, config, { id, list, display }, ended.signal),
    );
    display.end();
    process.stdout.write(`cancelled ${end.cancelled}, already decided ${end.decided}\n`);
    for (const text of cancelEndText(end)) process.stderr.write(`${harmless(text)}\n`);
    return end.queued > 0 || (end.list && end.list.left > 0) ? 1 : 0;
  } finally {
    display.end();
    await list?.close();
  }
}

type Parts = { readonly id: string; readonly list: CancelList | undefined; readonly display: CancelDisplay };

async function cancel(
  access: QueueAccess,
  config: Config,
  { id: given, list, display }: Parts,
  signal: AbortSignal,
): Promise<CancelEnd> {
  const { redis, keys, replicas } = access;
  const reader = new RequestReader(redis, keys);
  const id = await findRequest(access, reader, given);
  const lister = list && new CancelLister({ redis, keys, signal }, id, list);
  const readStandStill = standStillReader(access, config);
  const showWithReason = async (progress: CancelProgress) => {
    // if Redis cannot be read, the cancel itself says so
    const reason = await readStandStill().catch(() => '');
    if (!signal.aborted) display.show(progress, reason);
  };
  const end = await cancelRequest({ redis, keys, replicas }, id, userAtHost(), {
    ...{ signal, onProgress: progress => void (display.isDue && showWithReason(progress)) },
    ...(lister && { onListable: lister.now }),
  });
  const isCutShort = signal.aborted;
  if (!list || !lister) return { id, ...end, isCutShort };
  await lister.finish();
  const { unlisted, listed = 0 } = (await reader.record(id)) ?? {};
  return {
    ...{ id, ...end, isCutShort },
    list: {
      path: list.path,
      ours: lister.associations,
      listed,
      left: unlisted ?? 0,
      ...(lister.problem !== undefined && { problem: messageOf(lister.problem) }),
    },
  };
}
