/**
 * A process with several replicas: each has all parts of `association-queue worker`, with its own connections and its own
 * calling thread. Fifty processes would measure the processor, not the replicas.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import type { parseConfig } from '../../src/shared/runtime/config.js';
import type { Service } from '../../src/shared/runtime/lifecycle.js';
import type { createLogger } from '../../src/shared/runtime/logger.js';
import type { workerServices } from '../../src/worker/main.js';
import { BUILD, type HostAnswer, type HostOrder } from './replica-build.js';

type Parts = {
  readonly parseConfig: typeof parseConfig;
  readonly createLogger: typeof createLogger;
  readonly workerServices: typeof workerServices;
};

const { [BUILD]: build = '', ...env } = process.env;
const load = async (file: string): Promise<object> => import(pathToFileURL(`${build}/${file}`).href);
const parts = (await Promise.all(
  ['shared/runtime/config.js', 'shared/runtime/logger.js', 'worker/main.js'].map(load),
)) as unknown as readonly Partial<Parts>[];
const {
  parseConfig: parse,
  createLogger: logger,
  workerServices: services,
} = Object.assign({}, ...parts) as Parts;

let commands = 0;
const ioredis = createRequire(`${build}/worker/main.js`)('ioredis') as { readonly Redis: typeof Redis };
const { sendCommand } = ioredis.Redis.prototype;
ioredis.Redis.prototype.sendCommand = function (this: Redis, ...args: Parameters<typeof sendCommand>) {
  commands += 1;
  return sendCommand.apply(this, args);
};

const config = parse(env);
const started: Service[] = [];

async function startReplica(): Promise<void> {
  for (const service of services(config, logger('warn', 'worker', { format: config.logFormat }), undefined)) {
    started.push(service);
    await service.start();
  }
}

process.on('message', (order: HostOrder) => {
  void (async () => {
    if (order.do === 'start') for (let at = 0; at < order.replicas; at++) await startReplica();
    process.send?.({ commands } satisfies HostAnswer);
  })();
});
process.on('disconnect', () => {
  void (async () => {
    await Promise.all(started.toReversed().map(service => service.stop()));
    process.exit(0);
  })();
});
