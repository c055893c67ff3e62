/** A separate Redis for a test, with an append-only file, that can be killed and restarted on the same port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';

/** TEST_REDIS_SERVER names another program, such as valkey-server, as for scripts/with-redis.mjs. */
export const REDIS_SERVER = process.env.TEST_REDIS_SERVER || 'redis-server';

export class RedisServer {
  /** its append-only file is here */
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-redis-'));
  #process: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  /** @param options of redis-server, beside those of {@link launch} */
  static async start(options: Readonly<Record<string, string>> = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.startAgain(options);
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async startAgain(options: Readonly<Record<string, string>> = {}): Promise<void> {
    this.launch(options);
    const redis = new Redis(this.url, { lazyConnect: true, maxRetriesPerRequest: null });
    redis.on('error', () => {});
    await eventually(async () => {
      if ((await redis.ping()) !== 'PONG') throw new Error('still loading');
    });
    redis.disconnect();
  }

  /** Does not wait until it answers. @param more options of redis-server */
  launch(more: Readonly<Record<string, string>> = {}): void {
    const options = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.directory,
      save: '',
      appendonly: 'yes',
      'maxmemory-policy': 'noeviction',
      ...more,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#process = spawn(REDIS_SERVER, args, { stdio: 'ignore' });
  }

  /** kill -9: the append-only file has what was acknowledged. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  /** It accepts connections and does not reply, until `resume`. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
