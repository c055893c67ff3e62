/** The routes of the requests: a list, one request, and what an operator does with it. */
import type { FastifyInstance } from 'fastify';
import { SharedRequestError, UnknownRequestError } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import { type CancelProgress, cancelRequest } from '../../shared/state/cancel-request.js';
import { REQUEST_STATES } from '../../shared/state/requests.js';
import type { QueueAccess } from '../connection.js';
import { exportFailures, retryFailures } from '../failures/failures.js';
import { readRequestExamples } from '../failures/read-groups.js';
import type { Overview } from '../overview/overview.js';
import { sendFile } from './download.js';
import { OPERATOR } from './operator.js';
import { refusal } from './refusal.js';

const REQUEST_ID = /^[\w-]{1,128}$/;
const EXAMPLES = 10;
/** A cancel that takes longer, because calls are in flight or the queue is long, is finished by the workers. */
const CANCEL_MS = 20_000;

type One = { Params: { id: string } };
type Query = { Querystring: { state?: string; after?: string } };

export function registerRequests(
  app: FastifyInstance,
  access: QueueAccess,
  { requests }: Overview,
  logger: Logger,
): void {
  app.get<Query>('/api/requests', async ({ query }) => {
    const state = REQUEST_STATES.find(each => each === query.state);
    if (query.state && !state) throw refusal(400, `state: one of ${REQUEST_STATES.join(', ')} is needed`);
    try {
      return await requests.list({ ...(state && { state }), ...(query.after && { after: query.after }) });
    } catch (error) {
      if (error instanceof UnknownRequestError) throw refusal(404, error.message);
      throw error;
    }
  });
  app.get<One>('/api/requests/:id', async ({ params }) => {
    const [seconds] = await access.redis.time();
    const detail = await requests.detail(idOf(params.id), Number(seconds) * 1_000);
    if (!detail) throw refusal(404, 'There is no such request, or it is no longer kept');
    return detail;
  });
  app.get<One>('/api/requests/:id/examples', async ({ params }) =>
    readRequestExamples(access, idOf(params.id), EXAMPLES),
  );
  app.post<One>('/api/requests/:id/cancel', async ({ params }): Promise<CancelProgress> => {
    const signal = AbortSignal.timeout(CANCEL_MS);
    try {
      return await cancelRequest(access, idOf(params.id), OPERATOR, { signal });
    } catch (error) {
      if (error instanceof UnknownRequestError) throw refusal(404, error.message);
      if (error instanceof SharedRequestError) throw refusal(409, error.message);
      throw error;
    }
  });
  app.post<One>('/api/requests/:id/retry', async ({ params }) =>
    retryFailures(access, { request: idOf(params.id) }),
  );
  app.get<One>('/api/requests/:id/export', async ({ params }, reply) => {
    const request = idOf(params.id);
    const name = `rejected-${request}.ndjson`;
    await sendFile(reply, name, write => exportFailures(access, { request }, write), logger);
  });
}

/** @throws Error with the status 404 if no request can have this id */
function idOf(id: string): string {
  if (!REQUEST_ID.test(id)) throw refusal(404, 'There is no such request');
  return id;
}
