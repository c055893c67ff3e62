/**
 * Traces: off unless the standard OTEL_ variables ask for them; what they need is loaded only then. Which variables
 * count: OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT turn them on; OTEL_SDK_DISABLED=true and
 * OTEL_TRACES_EXPORTER=none off; service name, resource attributes, sampler, limits and headers as the standard says.
 * BullMQ carries the trace in the job (`tm`): from whoever enqueued it to the call that sent it.
 */
import type { Span } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { BullMQOtel } from 'bullmq-otel';
import type { Service } from './lifecycle.js';
import { settlesWithin } from './wait.js';

export type OtelApi = typeof import('@opentelemetry/api');
export type Tracing = {
  readonly api: OtelApi;
  /** for BullMQ's option of that name */
  readonly telemetry: BullMQOtel;
};
type Environment = Readonly<Record<string, string | undefined>>;

const TRACER = 'hubspot-association-queue';
/** At the end of a process its last spans may take this long; a collector that is away must not keep it. */
const FLUSH_MS = 2_000;

export const wantsTraces = (env: Environment): boolean =>
  Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) &&
  env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true' &&
  env.OTEL_TRACES_EXPORTER !== 'none';

/**
 * For a process of ours. To be called once, before anything is traced.
 * @param role worker, gateway, enqueue: part of the service's name, unless OTEL_SERVICE_NAME says another one
 * @returns undefined when traces are off
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

/** OpenTelemetry's API leaves what is registered here, in whatever copy of it: its own way to be shared. */
const API_GLOBAL = Symbol.for('opentelemetry.js.api.1');

/** For the library: has the process we are in set up traces of its own? Costs a look at a global. */
export const isTraced = (): boolean =>
  (globalThis as { [API_GLOBAL]?: { trace?: unknown } })[API_GLOBAL]?.trace !== undefined;

/** What traces need, where somebody has registered a provider. */
export async function createTracing(): Promise<Tracing> {
  const [api, { BullMQOtel, BullMQOTelSpan }] = await Promise.all([
    import('@opentelemetry/api'),
    import('bullmq-otel'),
  ]);
  const telemetry = new BullMQOtel({ tracerName: TRACER });
  const { tracer } = telemetry;
  const start = tracer.startSpan.bind(tracer);
  // BullMQ's housekeeping (looking for stalled jobs, waiting for the next one) belongs to nobody's trace and starts none
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

/** Does what several callers share: it goes on in the first one's trace, the others link to it and it to them. */
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

/** What the process says of itself: OTEL_SERVICE_NAME wins over OTEL_RESOURCE_ATTRIBUTES, and both over our own name. */
export async function describeService(role: string): Promise<Resource> {
  const [{ defaultResource, detectResources, envDetector, resourceFromAttributes }, { ATTR_SERVICE_NAME }] =
    await Promise.all([import('@opentelemetry/resources'), import('@opentelemetry/semantic-conventions')]);
  return defaultResource()
    .merge(resourceFromAttributes({ [ATTR_SERVICE_NAME]: `association-queue-${role}` }))
    .merge(detectResources({ detectors: [envDetector] }));
}
