/** Sends a file that is written while it is read, as fast as its reader takes it. */
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { messageOf } from '../../shared/contract/errors.js';
import type { Logger } from '../../shared/runtime/logger.js';

/** Resolves when more may be written. */
type Write = (text: string) => Promise<void>;

/** @param name of the file; only letters, digits, `-`, `_` and `.` */
export async function sendFile(
  reply: FastifyReply,
  name: string,
  produce: (write: Write) => Promise<unknown>,
  logger: Logger,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': `attachment; filename="${name}"`,
  });
  try {
    await produce(async text => {
      if (!raw.write(text) && !raw.destroyed) await Promise.race([once(raw, 'drain'), once(raw, 'close')]);
    });
    raw.end();
  } catch (error) {
    logger.error({ event: 'export failed', error: messageOf(error) });
    raw.destroy(); // half a file must not look complete
  }
}
