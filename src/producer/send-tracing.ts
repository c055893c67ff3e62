/**
 * The producer's part of a trace. The library traces if the application's process does, and loads OpenTelemetry at the
 * first send after that; beside the client package it may be missing, and then associations go without traces. If calls of several traces share a job, the job continues the first call's trace and the others
 * link to it.
 */
import type { Span } from '@opentelemetry/api';
import { messageOf } from '../shared/contract/errors.js';
import { createTracing, isTraced, type Tracing, together } from '../shared/runtime/tracing.js';

export class SendTracing {
  #tracing: Tracing | undefined;
  #loading: Promise<Tracing | undefined> | undefined;

  /** @returns undefined while the process has no traces */
  async ready(): Promise<Tracing | undefined> {
    if (this.#tracing || !isTraced()) return this.#tracing;
    this.#loading ??= createTracing().catch(untraced);
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

/** An association must not be lost because a package for traces is missing. */
function untraced(error: unknown): undefined {
  process.emitWarning(
    `associations are enqueued without traces: ${messageOf(error)}; to have them: npm install bullmq-otel @opentelemetry/api`,
    { code: 'ASSOCIATION_TRACES' },
  );
}
