/** The gateway's part of a trace: a request is a span, in the caller's trace if its headers name one. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Tracing, tracerOf } from '../shared/runtime/tracing.js';

export type TraceRequest = <T extends { readonly status: number }>(
  route: string,
  headers: IncomingHttpHeaders,
  answer: () => Promise<T>,
) => Promise<T>;

export const untraced: TraceRequest = (_route, _headers, answer) => answer();

export function traceRequests(tracing: Tracing): TraceRequest {
  const { api } = tracing;
  const tracer = tracerOf(tracing);
  return (route, headers, answer) => {
    const caller = api.propagation.extract(api.ROOT_CONTEXT, headers);
    const options = {
      kind: api.SpanKind.SERVER,
      attributes: { 'http.request.method': 'POST', 'http.route': route },
    };
    return tracer.startActiveSpan(`POST ${route}`, options, caller, async span => {
      try {
        const answered = await answer();
        span.setAttribute('http.response.status_code', answered.status);
        return answered;
      } catch (error) {
        const { status = 500 } = error as { status?: number };
        span.setAttribute('http.response.status_code', status);
        if (status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  };
}
