/**
 * The producer's part of a trace. The library runs in somebody else's process: it traces when that process does, and
 * loads what it needs at the first send after that. Calls of several traces that share a job: the first one's trace goes
 * on with the job, the others link to it.
 */
import type { Span } from '@opentelemetry/api';
import { createTracing, isTraced, type Tracing, tracerOf } from '../shared/tracing.js';

export class SendTracing {
  #tracing: Tracing | undefined;
  #loading: Promise<Tracing> | undefined;

  /** @returns undefined while the process traces nothing */
  async ready(): Promise<Tracing | undefined> {
    if (this.#tracing || !isTraced()) return this.#tracing;
    this.#loading ??= createTracing();
    this.#tracing = await this.#loading;
    return this.#tracing;
  }

  /** The span that the caller is in. */
  active(): Span | undefined {
    return this.#tracing?.api.trace.getActiveSpan();
  }

  /** Sends what several callers have given, in the first one's trace. */
  async together(callers: ReadonlySet<Span>, send: () => Promise<void>): Promise<void> {
    const tracing = this.#tracing;
    const [first, ...others] = callers;
    if (!tracing || !first || others.length === 0) return send();
    const { api } = tracing;
    const links = others.map(caller => ({ context: caller.spanContext() }));
    const context = api.trace.setSpan(api.ROOT_CONTEXT, first);
    await tracerOf(tracing).startActiveSpan('enqueue together', { links }, context, async span => {
      for (const caller of others) caller.addLink({ context: span.spanContext() });
      try {
        await send();
      } finally {
        span.end();
      }
    });
  }
}
