/**
 * The worker's part of a trace: enqueue → job (BullMQ) → batch → call. A batch carries jobs of many traces: it is a child
 * of the job that has waited longest, links to all of them, and each of them links back to it. Knows OpenTelemetry so
 * that nobody else has to; where traces are off, none of this runs.
 */
import type { Link, Span } from '@opentelemetry/api';
import type { Answer } from '../../hubspot/classify.js';
import { field, text } from '../../hubspot/classify.js';
import type { NotSent } from '../../hubspot/departure.js';
import { type Tracing, tracerOf } from '../../shared/runtime/tracing.js';
import { type Batch, type Submission, waitersOf } from '../batches/batch.js';
import type { DeliveryReport } from '../calls/delivery.js';

type Call = Pick<Batch, 'fromObjectType' | 'toObjectType' | 'inputs'>;

export class WorkTracing {
  readonly #tracer;

  constructor(private readonly tracing: Tracing) {
    this.#tracer = tracerOf(tracing);
  }

  /** The submission, with the span of the job it comes from. */
  carry(submission: Submission): Submission {
    const span = this.tracing.api.trace.getActiveSpan();
    return span ? { ...submission, span } : submission;
  }

  /** One batch, from its seal to its last outcome; the calls that it takes are its children. */
  async batch(batch: Batch, deliver: () => Promise<DeliveryReport>): Promise<DeliveryReport> {
    const { api } = this.tracing;
    const jobs = [...jobSpans(batch)];
    const [oldest] = jobs;
    const { fromObjectType, toObjectType, size, trigger, waitedMs } = batch;
    const parent = oldest ? api.trace.setSpan(api.ROOT_CONTEXT, oldest) : api.ROOT_CONTEXT;
    const span = this.#tracer.startSpan(
      `batch ${fromObjectType}/${toObjectType}`,
      {
        links: jobs.map((job): Link => ({ context: job.spanContext() })),
        attributes: {
          'association.batch.inputs': size,
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

  /** One call to HubSpot. Nothing of what is sent or answered is kept but status, category and correlation id. */
  async call(call: Call, send: () => Promise<Answer | NotSent>): Promise<Answer | NotSent> {
    const { api } = this.tracing;
    const span = this.#tracer.startSpan(`HubSpot batch/create ${call.fromObjectType}/${call.toObjectType}`, {
      kind: api.SpanKind.CLIENT,
      attributes: { 'http.request.method': 'POST', 'association.call.inputs': call.inputs.length },
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

/** Of the jobs in a batch, in the order in which they came. */
function jobSpans(batch: Batch): Set<Span> {
  const spans = new Set<Span>();
  for (const input of batch.inputs)
    for (const { ticket } of waitersOf(input))
      if (ticket.submission.span) spans.add(ticket.submission.span as Span);
  return spans;
}
