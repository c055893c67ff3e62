/** Bull Board under /queues, with jobs titled so that a person understands them. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { parseJobData, typesText } from '../../shared/association.js';

export const BOARD_PATH = '/queues';

/** Bull Board writes styles into its page; scripts it has in files. */
export const BOARD_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

export function registerBoard(app: FastifyInstance, queue: Queue, readOnly: boolean): void {
  const adapter = new BullMQAdapter(queue, { readOnlyMode: readOnly, description: 'HubSpot associations' });
  adapter.setFormatter(
    'name',
    (job: { name?: unknown; data?: unknown }) => jobTitle(job.data) ?? String(job.name),
  );
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: [adapter],
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'HubSpot associations',
        hideDocsLink: true,
        miscLinks: [{ text: 'Dashboard', url: '/' }],
      },
    },
  });
  app.register(serverAdapter.registerPlugin(), { prefix: BOARD_PATH });
  // its page asks a font server elsewhere; the policy forbids it, and the console need not complain
  app.addHook('onSend', async (request, _reply, payload) =>
    request.url.startsWith(BOARD_PATH) && typeof payload === 'string'
      ? payload.replace(/<link href="https:\/\/fonts\.[^>]*>/, '')
      : payload,
  );
}

/** `312 contacts → companies, HUBSPOT_DEFINED:279`; undefined for a job that is none of ours. Pure. */
export function jobTitle(data: unknown): string | undefined {
  const parsed = parseJobData(data);
  if (!parsed.ok) return undefined;
  const { pairs, rejected, fromObjectType, toObjectType, types } = parsed.data;
  const refused = rejected?.reduce((sum, { pairs }) => sum + pairs.length, 0) ?? 0;
  const objectPair = `${fromObjectType} → ${toObjectType}, ${typesText(types)}`;
  if (refused === 0) return `${pairs.length} ${objectPair}`;
  return `${pairs.length > 0 ? `${pairs.length} and ` : ''}${refused} rejected, ${objectPair}`;
}
