/** HTTP endpoints of a process for machines: /metrics (Prometheus), /healthz (it is alive), /readyz (it can work). */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge, type Registry } from 'prom-client';
import { listenError } from './listen-error.js';
import type { Logger } from './logger.js';

/**
 * The naming scheme of all processes: `association_`, then the subject (queue_ and quota_: the whole queue, read from
 * Redis; gateway_ and worker_: that process), then the unit. Counters end in _total.
 */
export const metricName = (text: string): string => `association_${text}`;

/** A gauge that is read at the moment of a scrape. */
export function addGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

export type MetricsServerOptions = {
  readonly port: number;
  readonly host: string;
  readonly registry: Registry;
  /** reasons why the process cannot work; empty if it can */
  readonly notReady: () => readonly string[];
  /** reasons to restart the process; empty if there are none */
  readonly notAlive: () => readonly string[];
  /** what /readyz also says: the process works, and an operator should know this of it */
  readonly notes?: () => readonly string[];
  readonly logger: Logger;
  /** for tests */
  readonly timeouts?: typeof TIMEOUTS;
};

/** Requests have no body and arrive at once. Node closes an incomplete request after this time; its default is five minutes. */
const TIMEOUTS = { requestMs: 10_000, checkMs: 2_000 };

const SETTINGS = { portSetting: 'METRICS_PORT', hostSetting: 'METRICS_HOST' };

type HttpReply = { status: number; type: string; body: string };

/**
 * @param reasons why the process is not well
 * @param notes further remarks in the answer, if there are any
 */
const health = (well: string, reasons: readonly string[], notes: readonly string[] = []): HttpReply => {
  const isWell = reasons.length === 0;
  const body = {
    status: isWell ? well : `not ${well}`,
    ...((!isWell || well === 'ready') && { reasons }),
    ...(notes.length > 0 && { notes }),
  };
  return { status: isWell ? 200 : 503, type: 'application/json', body: `${JSON.stringify(body)}\n` };
};

export class MetricsServer {
  #server: Server | undefined;

  constructor(private readonly options: MetricsServerOptions) {}

  /** If the port is taken, it warns and uses a free port, because replicas may share a host. */
  async start(): Promise<void> {
    const { port, host, logger } = this.options;
    const taken = await this.#listen(port);
    if (taken) {
      await this.#listen(0);
      logger.warn(
        { event: 'metrics', wanted: port, host, port: this.port },
        'METRICS_PORT is taken, metrics are on a free port',
      );
    } else logger.info({ event: 'metrics', host, port: this.port }, 'metrics and health');
  }

  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    await new Promise(resolve => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }

  /** @returns true if the port is taken */
  #listen(port: number): Promise<boolean> {
    const { requestMs, checkMs } = this.options.timeouts ?? TIMEOUTS;
    const { host } = this.options;
    const timeouts = {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
    };
    const server = createServer(timeouts, (request, response) => {
      this.#answer(request.url ?? '').then(
        ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
        () => response.writeHead(500).end(),
      );
    });
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(true);
        else reject(listenError(error, { port, host, ...SETTINGS }));
      });
      server.listen(port, host, () => {
        this.#server = server;
        resolve(false);
      });
    });
  }

  async #answer(url: string): Promise<HttpReply> {
    const { registry, notReady, notAlive, notes } = this.options;
    const json = 'application/json';
    switch (url.split('?')[0]) {
      case '/metrics':
        return { status: 200, type: registry.contentType, body: await registry.metrics() };
      case '/healthz':
        return health('ok', notAlive());
      case '/readyz':
        return health('ready', notReady(), notes?.());
      default:
        return { status: 404, type: json, body: '{"paths":["/metrics","/healthz","/readyz"]}\n' };
    }
  }
}
