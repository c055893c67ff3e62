/**
 * Turns traces on for one of our processes. They are off unless the standard OTEL_ variables ask for them:
 * OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT turn them on; OTEL_SDK_DISABLED=true and
 * OTEL_TRACES_EXPORTER=none off; service name, resource attributes, sampler, limits and headers as the standard says.
 */
import type { Resource } from '@opentelemetry/resources';
import type { Service } from './lifecycle.js';
import { createTracing, type Tracing } from './tracing.js';
import { settlesWithin } from './wait.js';

type Environment = Readonly<Record<string, string | undefined>>;

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

/** Attributes that describe this process. OTEL_SERVICE_NAME wins over OTEL_RESOURCE_ATTRIBUTES, and both over our own name. */
export async function describeService(role: string): Promise<Resource> {
  const [{ defaultResource, detectResources, envDetector, resourceFromAttributes }, { ATTR_SERVICE_NAME }] =
    await Promise.all([import('@opentelemetry/resources'), import('@opentelemetry/semantic-conventions')]);
  return defaultResource()
    .merge(resourceFromAttributes({ [ATTR_SERVICE_NAME]: `association-queue-${role}` }))
    .merge(detectResources({ detectors: [envDetector] }));
}
