/** Server-sent events over one response. A reader too slow for it is cut off; the browser connects again by itself. */
import type { FastifyReply } from 'fastify';

/** Unsent bytes of a reader that has stopped reading. */
const MOST_UNSENT = 4_000_000;
const KEEP_ALIVE_MS = 15_000;

export class EventStream {
  readonly #raw: FastifyReply['raw'];
  readonly #keepAlive: NodeJS.Timeout;

  constructor(reply: FastifyReply) {
    reply.hijack();
    this.#raw = reply.raw;
    this.#raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no', // nginx would hold them back
    });
    this.#keepAlive = setInterval(() => this.#raw.write(': still there\n\n'), KEEP_ALIVE_MS);
    this.onClose(() => clearInterval(this.#keepAlive));
  }

  /** @param json without line breaks, as JSON.stringify makes it */
  send(event: string, json: string): void {
    if (this.#raw.destroyed) return;
    if (this.#raw.writableLength > MOST_UNSENT) this.#raw.destroy();
    else this.#raw.write(`event: ${event}\ndata: ${json}\n\n`);
  }

  onClose(then: () => void): void {
    this.#raw.once('close', then);
  }

  end(): void {
    this.#raw.end();
  }
}
