/** Server-sent events over one response. A reader that is too slow is disconnected; the browser reconnects by itself. */
import type { FastifyReply } from 'fastify';

/** Most unsent bytes for a reader that has stopped reading. */
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
      'x-accel-buffering': 'no', // nginx would buffer the events
    });
    this.#keepAlive = setInterval(() => this.#raw.write(': still there\n\n'), KEEP_ALIVE_MS);
    this.onClose(() => clearInterval(this.#keepAlive));
  }

  /** @param json JSON without line breaks, as JSON.stringify returns it */
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
