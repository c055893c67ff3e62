/** Bull Board under /queues, with job titles that a person understands. */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { typesText } from '../../shared/contract/association.js';
import { parseJobData } from '../../shared/contract/job-schema.js';

const BOARD_PATH = '/queues';
/** Its page offers 10 and accepts any number; one request must not read the whole queue. */
const MOST_JOBS_PER_PAGE = 100;
const MOST_PAGES = 1_000_000_000;
const MOST_LOG_LINES = 1_000;

/** Declaration of the board's routes, by which the guard decides. */
const PAGE = { door: 'page', board: true } as const;
const INSIDE = { door: 'inside', board: true } as const;
const PAGES = new RegExp(`^${BOARD_PATH}(?!/(?:api|static)/)`);

/** Bull Board has inline styles and scripts in files. */
export const BOARD_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** Bull Board's adapter with a bound on what it reads of one job. */
class BoundedAdapter extends BullMQAdapter {
  constructor(
    private readonly bounded: Queue,
    options: ConstructorParameters<typeof BullMQAdapter>[1],
  ) {
    super(bounded, options);
  }

  override async getJobLogs(id: string): Promise<string[]> {
    return (await this.bounded.getJobLogs(id, 0, MOST_LOG_LINES - 1)).logs;
  }
}

export function registerBoard(app: FastifyInstance, queue: Queue, readOnly: boolean): void {
  const adapter = new BoundedAdapter(queue, { readOnlyMode: readOnly, description: 'HubSpot associations' });
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
      handlerHooks: { before: ({ request }) => clampPage(request.query) },
    },
  });
  app.register(
    async board => {
      board.addHook('onRoute', route => {
        route.config = { ...route.config, ...(PAGES.test(route.url) ? PAGE : INSIDE) };
      });
      // its page links a foreign font server, which the policy forbids; removing the link avoids an error in the console
      board.addHook('onSend', async (_request, _reply, payload) =>
        typeof payload === 'string' ? payload.replace(/<link href="https:\/\/fonts\.[^>]*>/, '') : payload,
      );
      await board.register(serverAdapter.registerPlugin());
    },
    { prefix: BOARD_PATH },
  );
}

/** Bull Board refuses values that are not numbers. */
function clampPage(query: Record<string, unknown>): void {
  const clamp = (name: string, most: number) => {
    if (Number(query[name]) > most) query[name] = String(most);
  };
  clamp('jobsPerPage', MOST_JOBS_PER_PAGE);
  clamp('page', MOST_PAGES);
}

/** `312 contacts → companies, HUBSPOT_DEFINED:279`; undefined for a job with invalid data. Pure. */
export function jobTitle(data: unknown): string | undefined {
  const parsed = parseJobData(data);
  if (!parsed.ok) return undefined;
  const { pairs, rejected, fromObjectType, toObjectType, types } = parsed.data;
  const refused = rejected?.reduce((sum, { pairs }) => sum + pairs.length, 0) ?? 0;
  const objectPair = `${fromObjectType} → ${toObjectType}, ${typesText(types)}`;
  if (refused === 0) return `${pairs.length} ${objectPair}`;
  return `${pairs.length > 0 ? `${pairs.length} and ` : ''}${refused} rejected, ${objectPair}`;
}
