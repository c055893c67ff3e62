/** One trace from the producer to the call: real processes, and a receiver in place of a collector. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { createProducer } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { startGateway } from '../support/gateway.js';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp.js';
import { TOKEN, useRig } from '../support/rig.js';
import { CONTACT_TO_COMPANY, goodPairs, inputOf } from '../support/samples.js';

const rig = useRig(import.meta.url);
let collector: OtlpReceiver;
let env: Record<string, string>;
beforeEach(async () => {
  collector = await startOtlpReceiver();
  env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
  await rig.start({ env });
});
afterEach(async () => {
  await collector.close();
});
const received = (name: string | RegExp, count = 1) =>
  eventually(() => {
    const found = collector.named(name);
    expect(found.length).toBeGreaterThanOrEqual(count);
    return found;
  });
const names = (spans: readonly ReceivedSpan[]) => spans.map(({ service, name }) => `${service}: ${name}`);
const CALL = 'HubSpot batch/create contacts/companies';

test('a trace goes from the caller of the gateway to the call, under the id that its header names', async () => {
  const gateway = await startGateway({ REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix, ...env });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  const { status } = await gateway.post([inputOf('100000001', '500000001')], { traceparent });
  expect(status).toBe(201);
  rig.startWorker();
  const [call] = await received(CALL);
  await received('process hubspot-associations');
  await received(/^POST /);
  const line = collector.ancestry(call);
  expect(names(line)).toEqual([
    `association-queue-worker: ${CALL}`,
    'association-queue-worker: batch contacts/companies',
    'association-queue-worker: process hubspot-associations',
    'association-queue-gateway: add hubspot-associations.associate',
    'association-queue-gateway: POST /crm/v4/associations/:fromObjectType/:toObjectType/batch/create',
  ]);
  expect(new Set(line.map(span => span.traceId))).toEqual(new Set([traceId]));
  expect(line.at(-1)).toMatchObject({
    parentSpanId: 'b7ad6b7169203331',
    attributes: { 'http.response.status_code': 201 },
  });
  expect(call?.attributes).toMatchObject({ 'http.response.status_code': 201, 'association.call.inputs': 1 });
  expect(line[1]?.attributes).toMatchObject({
    'association.batch.inputs': 1,
    'association.batch.created': 1,
  });
  // BullMQ's housekeeping starts no traces of its own
  expect([...new Set(collector.spans.map(span => span.traceId))]).toEqual([traceId]);
  expect(collector.raw()).not.toContain(TOKEN);
  expect(await gateway.end('SIGTERM')).toBe(0);
});

test('a trace of the program that enqueues goes on in the jobs, which link to their batch and back', async () => {
  const provider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${collector.url}/v1/traces` }))],
  });
  provider.register();
  const tracer = trace.getTracer('program');
  const producer = createProducer({ redisUrl: rig.redisUrl, prefix: rig.prefix, packMs: 50 });
  const pairs = goodPairs(3);
  const enqueue = (at: number) =>
    tracer.startActiveSpan(`caller ${at}`, async span => {
      const [from = '', to = ''] = pairs[at] ?? [];
      await producer.enqueue({
        ...{ fromObjectType: 'contacts', toObjectType: 'companies', from, to },
        types: [CONTACT_TO_COMPANY],
      });
      span.end();
    });
  try {
    await enqueue(0); // a job
    await Promise.all([enqueue(1), enqueue(2)]); // share another one
    rig.startWorker({ BATCH_LINGER_MS: '500' });
    const [call] = await received(CALL);
    const jobs = await received('process hubspot-associations', 2);
    const [together] = await received('enqueue together');
    const [first, second, third] = [0, 1, 2].map(at => collector.named(`caller ${at}`)[0] as ReceivedSpan);
    const line = collector.ancestry(call);
    const batch = line[1] as ReceivedSpan;
    expect(line.at(-1)).toBe(first); // who waited longest
    expect(batch.links.map(({ spanId }) => spanId).sort()).toEqual(jobs.map(({ spanId }) => spanId).sort());
    const other = jobs.find(({ traceId }) => traceId !== first?.traceId);
    expect(other?.traceId).toBe(second?.traceId);
    expect(other?.links).toMatchObject([{ traceId: batch.traceId, spanId: batch.spanId }]);
    expect(together).toMatchObject({ traceId: second?.traceId, links: [{ spanId: third?.spanId }] });
    expect(third?.links).toMatchObject([{ spanId: together?.spanId }]);
    await rig.drained();
    await rig.expectAccounted(pairs, []);
  } finally {
    await producer.close();
    await provider.shutdown();
    for (const api of [trace, context, propagation]) api.disable();
  }
});

test('a trace goes from the command line through a retry to the call', async () => {
  rig.simulator.script({ kind: 'status', status: 500 });
  const pairs = goodPairs(10);
  const enqueue = spawn(process.execPath, ['dist/cli.js', 'enqueue', '-', '--type', 'HUBSPOT_DEFINED:279'], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, REDIS_URL: rig.redisUrl, QUEUE_PREFIX: rig.prefix, ...env },
  });
  enqueue.stdin.end(
    pairs
      .map(([from, to]) =>
        JSON.stringify({ from, to, fromObjectType: 'contacts', toObjectType: 'companies' }),
      )
      .join('\n'),
  );
  expect(await once(enqueue, 'exit')).toEqual([0, null]);
  const worker = rig.startWorker({ OTEL_SERVICE_NAME: 'links-eu' });
  await rig.drained();
  expect(await worker.end('SIGTERM')).toBe(0); // what is left is exported at the end
  const calls = collector.named(CALL);
  expect(calls.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([500, 201]);
  for (const call of calls)
    expect(names(collector.ancestry(call))).toEqual([
      `links-eu: ${CALL}`,
      'links-eu: batch contacts/companies',
      'links-eu: process hubspot-associations',
      'association-queue-enqueue: addBulk hubspot-associations',
    ]);
  expect(new Set(calls.map(({ traceId }) => traceId)).size).toBe(1);
});

test('a collector that is away disturbs nothing and delays no end of a process', async () => {
  const worker = rig.startWorker({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  const pairs = goodPairs(10);
  await rig.enqueue(pairs, 10);
  await rig.drained();
  await rig.expectAccounted(pairs, []);
  expect(await worker.end('SIGTERM')).toBe(0);
});
