/**
 * The producer's part of a trace. The library runs in somebody else's process: it traces when that process does, and
 * loads what it needs at the first send after that. Calls of several traces that share a job: the first one's trace goes
 * on with the job, the others link to it.
 */
import type { Span } from '@opentelemetry/api';
import { createTracing, isTraced, type Tracing, together } from '../shared/runtime/tracing.js';

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
  together(callers: ReadonlySet<Span>, send: () => Promise<void>): Promise<void> {
    return together(this.#tracing, callers, send);
  }
}
