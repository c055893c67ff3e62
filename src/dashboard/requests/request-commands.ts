/**
 * The commands `requests list`, `show` and `retry`: each opens the queue, calls one function, prints its result.
 * Waiting: wait-command.ts. The rejected lines: export-command.ts.
 */
import type { Config } from '../../shared/runtime/config.js';
import { type RequestQuery, RequestReader, type RequestView } from '../../shared/state/requests.js';
import { withQueue } from '../connection.js';
import { retryFailures } from '../failures/failures.js';
import { print, printJson } from '../output.js';
import { painter } from '../terminal/glyphs.js';
import { retryText } from '../text/failures-text.js';
import { clockAt } from '../text/figures.js';
import { notFailedTexts, requestsText, requestText } from '../text/requests-text.js';
import { findRequest } from './find-request.js';

/** Width of the screen without a terminal. */
const COLUMNS = 100;

/** @returns the exit code @throws ConfigError if there is no request to begin after */
export async function runList(config: Config, query: RequestQuery, json: boolean): Promise<number> {
  const page = await withQueue(config, async access => {
    const reader = new RequestReader(access.redis, access.keys);
    const after = query.after === undefined ? undefined : await findRequest(access, reader, query.after);
    return reader.list({ ...query, ...(after !== undefined && { after }) });
  });
  if (!json) await print(requestsText(page, query));
  else {
    await printJson(page.requests, 2);
    if (page.after !== undefined) process.stderr.write(`there are more: --after ${page.after}\n`);
  }
  return 0;
}

/** @returns the exit code @throws ConfigError if there is no such request */
export async function runShow(config: Config, given: string, json: boolean): Promise<number> {
  const request = await withQueue(config, async access => {
    const reader = new RequestReader(access.redis, access.keys);
    return reader.read(await findRequest(access, reader, given));
  });
  if (request) await (json ? printJson(request, 2) : print(screenOf(request)));
  return 0;
}

function screenOf(request: RequestView): string {
  const { stdout } = process;
  const columns = Math.max(40, stdout.columns ?? COLUMNS);
  return requestText(request, { columns, paint: painter(stdout), clock: clockAt(Date.now()) });
}

/** Puts what was rejected of a request back to be tried again. @returns the exit code @throws ConfigError if there is none */
export async function runRetry(config: Config, given: string): Promise<number> {
  await withQueue(config, async access => {
    const reader = new RequestReader(access.redis, access.keys);
    const id = await findRequest(access, reader, given);
    const { rejected = 0, discarded = 0 } = (await reader.record(id)) ?? {};
    const retried = await retryFailures(access, { request: id });
    const left = rejected - retried.associations;
    await print([retryText(retried), ...notFailedTexts(left, discarded).map(text => `${text}.`)].join('\n'));
    if (retried.jobs > 0) await print(`Follow it: association-queue requests wait ${id}`);
  });
  return 0;
}
