/** `association-queue requests cancel`: takes a request back, shows progress on a terminal, and prints the result. */
import type { Config } from '../../shared/runtime/config.js';
import { harmless } from '../../shared/runtime/text.js';
import { userAtHost } from '../../shared/runtime/who.js';
import { type CancelProgress, cancelRequest } from '../../shared/state/cancel-request.js';
import { RequestReader } from '../../shared/state/requests.js';
import { withQueue } from '../connection.js';
import { count, counted } from '../text/figures.js';
import { CancelList } from './cancel-list.js';
import { findRequest } from './find-request.js';

/** `id` may be the beginning of one. */
export type CancelCommand = { readonly id: string; readonly list?: string | undefined };

/** @returns the exit code @throws ConfigError if there is no such request */
export async function runCancel(config: Config, { id, list }: CancelCommand): Promise<number> {
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ended.abort());
  const listing = list === undefined ? undefined : await CancelList.open(list);
  try {
    const end = await withQueue(config, async ({ redis, keys }) => {
      const found = await findRequest({ redis, keys }, new RequestReader(redis, keys), id);
      return cancelRequest({ redis, keys }, found, userAtHost(), {
        ...{ onProgress: showProgress, signal: ended.signal },
        ...(listing && { listing }),
      });
    });
    showProgress(undefined);
    process.stdout.write(`cancelled ${end.cancelled}, already decided ${end.decided}\n`);
    for (const warning of warningsOf(end, {
      list,
      listed: listing?.associations,
      isCutShort: ended.signal.aborted,
    }))
      process.stderr.write(`${harmless(warning)}\n`);
    return end.queued > 0 ? 1 : 0;
  } finally {
    await listing?.close();
  }
}

function showProgress(progress: CancelProgress | undefined): void {
  if (!process.stderr.isTTY) return;
  const text = progress ? `cancelled ${count(progress.cancelled)}, ${count(progress.queued)} left` : '';
  process.stderr.write(`\r\x1b[K${text}`);
}

function warningsOf(
  { cancelled, queued }: CancelProgress,
  { list, listed, isCutShort }: { list: string | undefined; listed: number | undefined; isCutShort: boolean },
): string[] {
  const warnings: string[] = [];
  if (list !== undefined && listed !== undefined && listed !== cancelled)
    warnings.push(
      `${list} has ${counted(listed, 'association')} of this call; workers or earlier calls took back the others`,
    );
  if (queued === 0) return warnings;
  return isCutShort
    ? [...warnings, `${counted(queued, 'association')} left: the workers take them back`]
    : [
        ...warnings,
        `${counted(queued, 'association')} left that the queue does not have: another client has removed their jobs, or they are in the failed set`,
      ];
}
