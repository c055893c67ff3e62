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

  /** @param options of each redis-server */
  static async start(options: Readonly<Record<string, string>> = {}): Promise<Sentinels> {
    const all = new Sentinels();
    const primary = await RedisServer.start(options);
    const replicaOf = { ...options, replicaof: `127.0.0.1 ${primary.port}`, 'repl-diskless-sync-delay': '0' };
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

  /** The primary's connections to them break, and they stand still until {@link resumeReplicas}. */
  async cutReplicas(): Promise<void> {
    for (const replica of this.#servers.slice(1)) replica.pause();
    await ask(this.#primary.port, redis => redis.call('CLIENT', 'KILL', 'TYPE', 'replica'));
  }

  resumeReplicas(): void {
    for (const replica of this.#servers.slice(1)) replica.resume();
  }

  /** As a supervisor does after {@link killPrimary}. The Sentinels make a replica of it. */
  startKilledAgain(): void {
    this.#primary.launch();
  }

  /**
   * A planned failover, as an operator begins it at one of the Sentinels.
   * @param pauseMs if it is given, the primary holds writes back for this long, from before the failover on
   */
  async failover(pauseMs?: number): Promise<void> {
    if (pauseMs !== undefined)
      await ask(this.#primary.port, redis => redis.call('CLIENT', 'PAUSE', pauseMs, 'WRITE'));
    await ask(this.#ports[0] ?? 0, redis => redis.call('SENTINEL', 'FAILOVER', NAME));
  }

  /** @returns the port of the new primary, once the others of those that started are its replicas and have all that it has */
  async afterFailover(): Promise<number> {
    return eventually(async () => {
      const place = await ask(this.#ports[0] ?? 0, redis =>
        redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME),
      );
      const port = Number((place as string[])[1]);
      if (port === this.#primary.port) throw new Error('the old primary is still the one');
      for (const { port: other } of this.#servers) {
        const [role = '', ...rest] = (await ask(other, redis => redis.call('ROLE'))) as unknown[];
        const isRight = other === port ? role === 'master' : rest[1] === port && rest[2] === 'connected';
        if (!isRight) throw new Error(`${other} is ${String([role, ...rest])}`);
      }
      return port;
    });
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
