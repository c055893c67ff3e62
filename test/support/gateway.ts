/** Gateways for tests: a real process of the built package, or the server in this process without a port. */
import { afterEach } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { Backlog } from '../../src/gateway/backlog.js';
import { createGatewayMetrics } from '../../src/gateway/gateway-metrics.js';
import { untraced } from '../../src/gateway/request-tracing.js';
import { Cancels } from '../../src/gateway/requests/cancel.js';
import { Requests } from '../../src/gateway/requests/note.js';
import { SharedJobs } from '../../src/gateway/requests/shared.js';
import { createServer } from '../../src/gateway/server.js';
import type { HubSpotOptions } from '../../src/labels/hubspot-options.js';
import { openLabels } from '../../src/labels/open-labels.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { openRedis } from '../../src/shared/runtime/redis.js';
import { cancelRequest } from '../../src/shared/state/cancel-request.js';
import { limitsOf } from '../../src/shared/state/capacity.js';
import { Outcomes } from '../../src/shared/state/outcomes.js';
import { queueStateReader } from '../../src/shared/state/queue-state.js';
import { type CliProcess, startServing } from './process.js';
import { noReplicas } from './replicas.js';
import { CREATE } from './samples.js';

export type Reply = { status: number; body: ReplyBody; headers: Headers };
/** Every field any answer may have. */
export type ReplyBody = {
  id?: string;
  status: string;
  message?: string;
  category?: string;
  correlationId?: string;
  results?: { fromObjectId: string; toObjectId: string }[];
  numErrors?: number;
  errors?: { message: string; in?: string; category?: string; context?: Record<string, string[]> }[];
  links?: { status: string };
  accepted?: number;
  created?: number;
  rejected?: number;
  queued?: number;
};

export type GatewayProcess = CliProcess & {
  readonly url: string;
  post(inputs: unknown, headers?: Record<string, string>, path?: string): Promise<Reply>;
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
};

export async function startGateway(env: Readonly<Record<string, string>>): Promise<GatewayProcess> {
  const gateway = await startServing('gateway', { GATEWAY_PORT: '0', ...env });
  const call = async (path: string, init: RequestInit): Promise<Reply> => {
    const response = await fetch(gateway.url + path, init);
    return { status: response.status, headers: response.headers, body: (await response.json()) as ReplyBody };
  };
  return {
    ...gateway,
    post: (inputs, headers = {}, path = CREATE) =>
      call(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ inputs }),
      }),
    get: (path, headers = {}) => call(path, { headers }),
  };
}

export type TestServer = {
  readonly app: FastifyInstance;
  readonly requests: Requests;
  readonly redis: Redis;
  stop(): void;
  close(): Promise<void>;
};

export type ServerOptions = {
  maxInputs?: number;
  maxQueued?: number;
  cancelWaitMs?: number;
  apiKeys?: string[];
  timeouts?: { requestMs: number; largeBodyMs: number };
  hubspot?: HubSpotOptions;
  onWarning?: (warning: string) => void;
};

/** The tests of a Redis that does not answer start a process, which has the real deadline. Here a busy machine must not be one. */
const REDIS_DEADLINE_MS = 30_000;

/** The server in this process, for `app.inject`. */
export async function openServer(
  redisUrl: string,
  prefix: string,
  options: ServerOptions = {},
): Promise<TestServer> {
  const [redis, subscriber] = [openRedis(redisUrl, 'hasty'), openRedis(redisUrl, 'hasty')];
  const keys = accountKeys(prefix);
  const replicas = noReplicas(redis, keys);
  const requests = new Requests({
    ...{ redis, keys, prefix, replicas, keepSeconds: 3_600, deadlineMs: REDIS_DEADLINE_MS },
  });
  const outcomes = new Outcomes(subscriber, keys);
  const readState = queueStateReader(keys, limitsOf(parseConfig({})));
  const backlog = new Backlog(() => readState(redis), options.maxQueued ?? 1_000_000);
  const labels = openLabels(options.hubspot ?? {}, { redis, connected: async () => {}, keys });
  const stopping = new AbortController();
  const app = createServer({
    requests,
    cancels: new Cancels(
      (id, by, options) => cancelRequest({ redis, keys }, id, by, options),
      stopping.signal,
      options.cancelWaitMs,
    ),
    shared: new SharedJobs(requests),
    outcomes,
    backlog,
    metrics: createGatewayMetrics({ waiting: () => outcomes.size }),
    maxInputs: options.maxInputs ?? 50_000,
    typesOf: wish => labels.resolver.typesOf(wish),
    onWarning: options.onWarning ?? (() => {}),
    onAccepted: () => {},
    apiKeys: options.apiKeys ?? [],
    version: '0.0.0',
    stopping: stopping.signal,
    trace: untraced,
    logger: createLogger('silent', 'test'),
    ...(options.timeouts && { timeouts: options.timeouts }),
  });
  await Promise.all([redis.connect(), subscriber.connect()]);
  await app.ready();
  return {
    app,
    requests,
    redis,
    stop: () => stopping.abort(),
    async close() {
      await app.close();
      await requests.close();
      outcomes.close();
      labels.close();
    },
  };
}

/**
 * Call once at the top of a test file. @returns `openServer` on this Redis; what it has opened is closed after the test
 */
export function useServers(test: { readonly url: string; newPrefix(): string }) {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  return async (options?: ServerOptions, prefix = test.newPrefix()): Promise<TestServer> => {
    const server = await openServer(test.url, prefix, options);
    servers.push(server);
    return server;
  };
}
