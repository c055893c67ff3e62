/** An OTLP receiver (HTTP, JSON) for tests: the exported spans with their ancestors. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly service: string;
  readonly kind: number;
  readonly links: readonly { traceId: string; spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
};
type Attribute = { key: string; value: Record<string, unknown> };
type RawSpan = Omit<ReceivedSpan, 'attributes' | 'service' | 'links'> & {
  attributes?: Attribute[];
  links?: { traceId: string; spanId: string }[];
};
type Export = {
  resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: RawSpan[] }[] }[];
};

const plain = (attributes: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [only] = Object.values(value);
      return [key, 'intValue' in value ? Number(only) : only];
    }),
  );

export type OtlpReceiver = {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** everything received, as it came */
  raw(): string;
  named(name: string | RegExp): ReceivedSpan[];
  /** the span, its parent, and so on: names, as far as they were received */
  ancestry(span: ReceivedSpan | undefined): ReceivedSpan[];
  close(): Promise<void>;
};

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let raw = '';
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    raw += body;
    for (const { resource, scopeSpans } of (JSON.parse(body) as Export).resourceSpans) {
      const service = String(plain(resource.attributes)['service.name']);
      for (const span of scopeSpans.flatMap(scope => scope.spans))
        spans.push({ ...span, service, links: span.links ?? [], attributes: plain(span.attributes) });
    }
    response.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    raw: () => raw,
    named: name =>
      spans.filter(span => (typeof name === 'string' ? span.name === name : name.test(span.name))),
    ancestry(span) {
      const line: ReceivedSpan[] = [];
      for (let at = span; at; at = spans.find(({ spanId }) => spanId === line.at(-1)?.parentSpanId))
        line.push(at);
      return line;
    },
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
