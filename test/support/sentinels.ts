/** A primary with two replicas and three Sentinels that watch them: real processes, which a test may kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { freePort, REDIS_SERVER, RedisServer } from './redis-server.js';

const NAME = 'main';
/** A primary that is silent for so long is replaced. */
const DOWN_MS = 1_500;

export class Sentinels {
  readonly #directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-sentinel-'));
  readonly #processes: ChildProcess[] = [];
  readonly #ports: number[] = [];
  #servers: RedisServer[] = [];

  private constructor() {}

  static async start(): Promise<Sentinels> {
    const all = new Sentinels();
    const primary = await RedisServer.start();
    const replicaOf = { replicaof: `127.0.0.1 ${primary.port}`, 'repl-diskless-sync-delay': '0' };
    const replicas = await Promise.all([RedisServer.start(replicaOf), RedisServer.start(replicaOf)]);
    all.#servers = [primary, ...replicas];
    await all.replicated();
    for (let at = 0; at < 3; at += 1) await all.#watch(primary.port);
    await eventually(async () => {
      for (const port of all.#ports) {
        const state = String(await ask(port, redis => redis.call('SENTINEL', 'MASTERS')));
        expectAll(state, ['num-slaves,2', 'num-other-sentinels,2']);
      }
    });
    return all;
  }

  get url(): string {
    return `redis+sentinel://${this.#ports.map(port => `127.0.0.1:${port}`).join(',')}/${NAME}`;
  }

  get options(): { sentinels: { host: string; port: number }[]; name: string } {
    return { sentinels: this.#ports.map(port => ({ host: '127.0.0.1', port })), name: NAME };
  }

  /** Resolves when two replicas have all that the primary has now. */
  async replicated(): Promise<void> {
    await eventually(() =>
      ask(this.#primary.port, async redis => {
        const count = await redis
          .multi()
          .set('sentinel-test', Date.now())
          .exec()
          .then(() => redis.wait(2, 100));
        if (count < 2) throw new Error(`${count} replicas have it`);
      }),
    );
  }

  /** kill -9. The Sentinels choose another within some seconds. */
  async killPrimary(): Promise<void> {
    await this.#primary.kill();
  }

  async stop(): Promise<void> {
    for (const process of this.#processes) {
      process.kill('SIGKILL');
      if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
    }
    await Promise.all(this.#servers.map(server => server.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #primary(): RedisServer {
    const [primary] = this.#servers;
    if (!primary) throw new Error('not started');
    return primary;
  }

  async #watch(primaryPort: number): Promise<void> {
    const port = await freePort();
    const file = path.join(this.#directory, `${port}.conf`);
    writeFileSync(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${this.#directory}`,
        `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
        `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
        `sentinel failover-timeout ${NAME} 10000`,
        '',
      ].join('\n'),
    );
    this.#processes.push(spawn(REDIS_SERVER, [file, '--sentinel'], { stdio: 'ignore' }));
    this.#ports.push(port);
    await eventually(() => ask(port, redis => redis.ping()));
  }
}

async function ask<T>(port: number, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

function expectAll(text: string, parts: readonly string[]): void {
  for (const part of parts) if (!text.includes(part)) throw new Error(`no ${part} in ${text}`);
}
