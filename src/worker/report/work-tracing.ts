/**
 * The worker's part of a trace: enqueue → job (BullMQ) → batch → call. A batch contains jobs of many traces: it is a child of
 * the job that has waited longest and links to all jobs, and each job links back to it. Only this file of the worker uses
 * OpenTelemetry; if traces are off, it does not run.
 */
import type { Context, Link, Span } from '@opentelemetry/api';
import type { FetchedJob } from '../../bullmq/fetched-job.js';
import { type Answer, field, isObject, text } from '../../hubspot/classify.js';
import type { NotSent } from '../../hubspot/departure.js';
import { messageOf } from '../../shared/contract/errors.js';
import { readJson } from '../../shared/contract/json.js';
import { type Tracing, tracerOf } from '../../shared/runtime/tracing.js';
import type { Batch } from '../batches/batch.js';
import type { Call } from '../batches/columns.js';
import type { DeliveryReport } from '../calls/delivery.js';
import type { JobSpan } from '../jobs/job-work.js';

export class WorkTracing {
  readonly #tracer;

  /** @param about attributes of each job's span */
  constructor(
    private readonly tracing: Tracing,
    private readonly about: { readonly queue: string; readonly replica: string },
  ) {
    this.#tracer = tracerOf(tracing);
  }

  /** Starts the span of a job, from reading to its end, in the trace of its producer; named as BullMQ names it. */
  job(job: FetchedJob): JobSpan {
    const { api } = this.tracing;
    const { queue, replica } = this.about;
    const parent = this.#parentOf(job.trace);
    const span = this.#tracer.startSpan(
      `process ${queue}`,
      {
        kind: api.SpanKind.CONSUMER,
        attributes: {
          'bullmq.queue.name': queue,
          'bullmq.queue.operation': 'process',
          'bullmq.worker.id': replica,
          'bullmq.job.id': job.id,
        },
      },
      parent,
    );
    return {
      span,
      run: work => api.context.with(api.trace.setSpan(parent, span), work),
      failed: error => span.recordException(error instanceof Error ? error : messageOf(error)),
      end: () => span.end(),
    };
  }

  /** @param metadata trace context in the job's options; any client may have written it */
  #parentOf(metadata: string | undefined): Context {
    const { api } = this.tracing;
    const carrier = metadata === undefined ? undefined : readJson(metadata);
    return isObject(carrier) ? api.propagation.extract(api.ROOT_CONTEXT, carrier) : api.ROOT_CONTEXT;
  }

  /** The span of a batch, from the seal to the last outcome; its calls are children. */
  async batch(batch: Batch, deliver: () => Promise<DeliveryReport>): Promise<DeliveryReport> {
    const { api } = this.tracing;
    const jobs = [...jobSpans(batch)];
    const [oldest] = jobs;
    const { fromObjectType, toObjectType, inputs, trigger, waitedMs } = batch;
    const parent = oldest ? api.trace.setSpan(api.ROOT_CONTEXT, oldest) : api.ROOT_CONTEXT;
    const span = this.#tracer.startSpan(
      `batch ${fromObjectType}/${toObjectType}`,
      {
        links: jobs.map((job): Link => ({ context: job.spanContext() })),
        attributes: {
          'association.batch.inputs': inputs.size,
          'association.batch.jobs': jobs.length,
          'association.batch.trigger': trigger,
          'association.batch.waited_ms': Math.round(waitedMs),
        },
      },
      parent,
    );
    for (const job of jobs) if (job !== oldest) job.addLink({ context: span.spanContext() });
    try {
      const report = await api.context.with(api.trace.setSpan(parent, span), deliver);
      for (const [outcome, count] of Object.entries(report.counts))
        span.setAttribute(`association.batch.${outcome}`, count);
      return report;
    } finally {
      span.end();
    }
  }

  /** The span of a call to HubSpot. It keeps only status, category and correlation id. */
  async call(call: Call, send: () => Promise<Answer | NotSent>): Promise<Answer | NotSent> {
    const { api } = this.tracing;
    const span = this.#tracer.startSpan(`HubSpot batch/create ${call.fromObjectType}/${call.toObjectType}`, {
      kind: api.SpanKind.CLIENT,
      attributes: { 'http.request.method': 'POST', 'association.call.inputs': call.columns.size },
    });
    try {
      const answer = await send();
      describe(span, answer);
      if (answer.kind !== 'answer' || answer.status >= 400)
        span.setStatus({ code: api.SpanStatusCode.ERROR });
      return answer;
    } finally {
      span.end();
    }
  }
}

function describe(span: Span, answer: Answer | NotSent): void {
  if (answer.kind === 'not-sent') {
    span.setAttribute('error.type', 'PERMIT_EXPIRED');
    return;
  }
  if (answer.kind === 'none') {
    span.setAttribute('error.type', answer.category);
    return;
  }
  span.setAttribute('http.response.status_code', answer.status);
  const category = text(field(answer.body, 'category'));
  if (category !== undefined) span.setAttribute('hubspot.category', category);
  if (answer.correlationId !== undefined) span.setAttribute('hubspot.correlationId', answer.correlationId);
}

/** @returns the spans of a batch's jobs, in the order of their arrival */
function jobSpans(batch: Batch): Set<Span> {
  const spans = new Set<Span>();
  for (const { submission } of batch.inputs.tickets())
    if (submission.span) spans.add(submission.span as Span);
  return spans;
}
