/** The routes of the rejections: all groups, one group, and what an operator does with some of them. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../shared/runtime/logger.js';
import type { QueueAccess } from '../connection.js';
import { discardFailures, exportFailures, retryFailures } from '../failures/failures.js';
import { ALL_GROUPS, readDetail, readRejections } from '../failures/read-groups.js';
import { sendFile } from './download.js';
import { refusal } from './refusal.js';

const GROUP_ID = /^[\w-]{1,40}$/;
/** Most groups of one action. */
const MOST_CHOSEN = 500;
const EXAMPLES = 5;

export function registerRejections(app: FastifyInstance, access: QueueAccess, logger: Logger): void {
  app.get('/api/rejections', async () => readRejections(access, ALL_GROUPS));
  app.get<{ Params: { group: string } }>('/api/rejections/:group', async request => {
    const detail = await readDetail(access, request.params.group, EXAMPLES);
    if (!detail) throw refusal(404, 'There is no such group any more');
    return detail;
  });
  app.post('/api/rejections/retry', async request =>
    retryFailures(access, { groups: chosen((request.body as Chosen | null)?.groups) }),
  );
  app.post('/api/rejections/discard', async request =>
    discardFailures(access, { groups: chosen((request.body as Chosen | null)?.groups) }),
  );
  app.get<{ Querystring: { groups?: string } }>('/api/rejections/export', async (request, reply) => {
    const groups = chosen(request.query.groups?.split(','));
    const name =
      groups.size === 1 ? `rejected-${[...groups]}.ndjson` : `rejected-${groups.size}-groups.ndjson`;
    await sendFile(reply, name, write => exportFailures(access, { groups }, write), logger);
  });
}

/** What the page sends with an action. */
type Chosen = { groups?: unknown };

/** @throws Error with the status 400 if `groups` are not ids of some groups */
function chosen(groups: unknown): ReadonlySet<string> {
  const isList = Array.isArray(groups) && groups.every(id => typeof id === 'string' && GROUP_ID.test(id));
  if (!isList || groups.length === 0) throw refusal(400, 'groups: a list of ids of groups is needed');
  if (groups.length > MOST_CHOSEN)
    throw refusal(400, `groups: at most ${MOST_CHOSEN} at once, not ${groups.length}`);
  return new Set(groups as string[]);
}
