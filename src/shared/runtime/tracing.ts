/**
 * Traces: the tracer, the spans that several callers share, and what BullMQ needs to carry a trace in the job (`tm`), from the
 * producer to the call that sent it. start-tracing.ts turns traces on for our processes; the library traces if its host
 * process does. OpenTelemetry is loaded only where traces are on.
 */
import type { Span } from '@opentelemetry/api';
import type { BullMQOtel } from 'bullmq-otel';

export type OtelApi = typeof import('@opentelemetry/api');
export type Tracing = {
  readonly api: OtelApi;
  /** for BullMQ's option `telemetry` */
  readonly telemetry: BullMQOtel;
};

const TRACER = 'hubspot-association-queue';

/** OpenTelemetry's API registers providers under this symbol, so that several copies of the API share them. */
const API_GLOBAL = Symbol.for('opentelemetry.js.api.1');

/** For the library: @returns true if the host process has set up traces. Reads only a global. */
export const isTraced = (): boolean =>
  (globalThis as { [API_GLOBAL]?: { trace?: unknown } })[API_GLOBAL]?.trace !== undefined;

/** Creates the objects for traces, using the registered provider. */
export async function createTracing(): Promise<Tracing> {
  const [api, { BullMQOtel, BullMQOTelSpan }] = await Promise.all([
    import('@opentelemetry/api'),
    import('bullmq-otel'),
  ]);
  const telemetry = new BullMQOtel({ tracerName: TRACER });
  const { tracer } = telemetry;
  const start = tracer.startSpan.bind(tracer);
  // BullMQ's housekeeping (checking for stalled jobs, waiting for the next job) belongs to no trace and starts none
  tracer.startSpan = (name, options, context) => {
    const parent = api.trace.getSpan(context ?? api.context.active());
    const isHousekeeping = !parent && (options as { kind?: number }).kind === api.SpanKind.INTERNAL;
    return isHousekeeping
      ? new BullMQOTelSpan(api.trace.wrapSpanContext(api.INVALID_SPAN_CONTEXT))
      : start(name, options, context);
  };
  return { api, telemetry };
}

export const tracerOf = ({ api }: Tracing) => api.trace.getTracer(TRACER);

/** Runs work that several callers share in the first caller's trace. The other callers' spans link to it, and it to them. */
export async function together<T>(
  tracing: Tracing | undefined,
  callers: ReadonlySet<Span>,
  send: () => Promise<T>,
): Promise<T> {
  const [first, ...others] = callers;
  if (!tracing || !first) return send();
  const { api } = tracing;
  const context = api.trace.setSpan(api.ROOT_CONTEXT, first);
  if (others.length === 0) return api.context.with(context, send);
  const links = others.map(caller => ({ context: caller.spanContext() }));
  return tracerOf(tracing).startActiveSpan('enqueue together', { links }, context, async span => {
    for (const caller of others) caller.addLink({ context: span.spanContext() });
    try {
      return await send();
    } finally {
      span.end();
    }
  });
}
