/**
 * Traces. They are off unless the standard OTEL_ variables ask for them; only then the code loads OpenTelemetry:
 * OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT turn them on; OTEL_SDK_DISABLED=true and
 * OTEL_TRACES_EXPORTER=none off; service name, resource attributes, sampler, limits and headers as the standard says.
 * BullMQ carries the trace in the job (`tm`), from the producer to the call that sent it.
 */
import type { Span } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { BullMQOtel } from 'bullmq-otel';
import type { Service } from './lifecycle.js';
import { settlesWithin } from './wait.js';

export type OtelApi = typeof import('@opentelemetry/api');
export type Tracing = {
  readonly api: OtelApi;
  /** for BullMQ's option `telemetry` */
  readonly telemetry: BullMQOtel;
};
type Environment = Readonly<Record<string, string | undefined>>;

const TRACER = 'hubspot-association-queue';
/** Longest time to send the last spans at the end of a process: an unreachable collector must not delay it longer. */
const FLUSH_MS = 2_000;

export const wantsTraces = (env: Environment): boolean =>
  Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) &&
  env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' &&
  env.OTEL_TRACES_EXPORTER !== 'none';

/**
 * Sets up traces for one of our processes. Call it once, before anything is traced.
 * @param role worker, gateway, enqueue: part of the service's name, unless OTEL_SERVICE_NAME sets another name
 * @returns undefined if traces are off
 */
export async function startTracing(role: string, env: Environment): Promise<(Tracing & Service) | undefined> {
  if (!wantsTraces(env)) return undefined;
  const [{ NodeTracerProvider, BatchSpanProcessor }, { OTLPTraceExporter }, resource] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    describeService(role),
  ]);
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return {
    ...(await createTracing()),
    async start() {},
    async stop() {
      await settlesWithin(provider.shutdown(), FLUSH_MS);
    },
  };
}

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

/** Attributes that describe this process. OTEL_SERVICE_NAME wins over OTEL_RESOURCE_ATTRIBUTES, and both over our own name. */
export async function describeService(role: string): Promise<Resource> {
  const [{ defaultResource, detectResources, envDetector, resourceFromAttributes }, { ATTR_SERVICE_NAME }] =
    await Promise.all([import('@opentelemetry/resources'), import('@opentelemetry/semantic-conventions')]);
  return defaultResource()
    .merge(resourceFromAttributes({ [ATTR_SERVICE_NAME]: `association-queue-${role}` }))
    .merge(detectResources({ detectors: [envDetector] }));
}
