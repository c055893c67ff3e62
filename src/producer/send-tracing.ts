/**
 * The producer's part of a trace. The library traces if the application's process does, and loads OpenTelemetry at the
 * first send after that. If calls of several traces share a job, the job continues the first call's trace and the others
 * link to it.
 */
import type { Span } from '@opentelemetry/api';
import { createTracing, isTraced, type Tracing, together } from '../shared/runtime/tracing.js';

export class SendTracing {
  #tracing: Tracing | undefined;
  #loading: Promise<Tracing> | undefined;

  /** @returns undefined while the process has no traces */
  async ready(): Promise<Tracing | undefined> {
    if (this.#tracing || !isTraced()) return this.#tracing;
    this.#loading ??= createTracing();
    this.#tracing = await this.#loading;
    return this.#tracing;
  }

  /** @returns the caller's current span */
  active(): Span | undefined {
    return this.#tracing?.api.trace.getActiveSpan();
  }

  /** Sends the associations of several callers in the first caller's trace. */
  together(callers: ReadonlySet<Span>, send: () => Promise<void>): Promise<void> {
    return together(this.#tracing, callers, send);
  }
}
