/** The route of the search for a record pair: its progress and its matches as server-sent events. */
import type { FastifyInstance } from 'fastify';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';
import type { QueueAccess } from '../connection.js';
import { searchPair } from '../search/pair-search.js';
import { EventStream } from './event-stream.js';

/** Most concurrent searches: each reads the queue, and more would slow Redis down noticeably. */
const MOST_SEARCHES = 2;
const RECORD_ID = /^\S{1,128}$/;

export function registerSearch(app: FastifyInstance, access: QueueAccess, logger: Logger): void {
  let searches = 0;
  app.get<{ Querystring: { from?: string; to?: string } }>('/api/search', async (request, reply) => {
    const { from = '', to = '' } = request.query;
    if (!RECORD_ID.test(from) || !RECORD_ID.test(to))
      return reply.code(400).send({ message: 'from and to: two record ids are needed' });
    if (searches >= MOST_SEARCHES)
      return reply
        .code(429)
        .send({ message: `${MOST_SEARCHES} searches are under way: try again in some seconds` });
    const stream = new EventStream(reply);
    const ending = new AbortController();
    stream.onClose(() => ending.abort());
    searches += 1;
    try {
      const events = {
        progress: (progress: object) => stream.send('progress', JSON.stringify(progress)),
        match: (match: object) => stream.send('match', JSON.stringify(match)),
      };
      stream.send('end', JSON.stringify(await searchPair(access, [from, to], events, ending.signal)));
    } catch (error) {
      logger.error({ event: 'search failed', error: messageOf(error) });
      stream.send('failure', JSON.stringify({ message: 'Redis cannot be used at the moment' }));
    } finally {
      searches -= 1;
      stream.end();
    }
  });
}
