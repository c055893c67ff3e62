/**
 * A primary with a replica and three Sentinels that speak TLS to each other and to clients, and ask them for a password of the
 * Sentinels' own: real processes. Their plain ports stay for the test: it is the administrator there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import type { Authority } from './certificates.js';
import { eventually } from './eventually.js';
import { freePort, REDIS_SERVER } from './redis-server.js';
import { startTlsServer, type TlsServer } from './tls-server.js';

const NAME = 'main';
const DOWN_MS = 1_500;
const ADMIN_PASSWORD = 'of-the-administrator';

type Sentinel = { readonly process: ChildProcess; readonly tlsPort: number; readonly admin: Redis };

export class TlsSentinels {
  readonly #directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-sentinel-'));
  readonly #sentinels: Sentinel[] = [];
  #servers: TlsServer[] = [];
  #admins: Redis[] = [];

  private constructor(private readonly authority: Authority) {}

  /** @param rules of users, at Redis and at the Sentinels: name and rules */
  static async start(
    authority: Authority,
    users: { readonly redis: readonly string[]; readonly sentinel: readonly string[] },
  ): Promise<TlsSentinels> {
    const all = new TlsSentinels(authority);
    const certificate = authority.sign(['IP:127.0.0.1', 'DNS:localhost']);
    const start = (more: Readonly<Record<string, string>>) =>
      startTlsServer(authority, certificate, 'yes', { 'tls-replication': 'yes', ...more });
    const primary = await start({});
    const replica = await start({
      replicaof: `127.0.0.1 ${primary.tlsPort}`,
      'repl-diskless-sync-delay': '0',
    });
    all.#servers = [primary, replica];
    all.#admins = all.#servers.map(({ server }) => administrator(server.port));
    for (const redis of all.#admins) await redis.call('ACL', 'SETUSER', ...users.redis);
    for (let at = 0; at < 3; at += 1) await all.#watch(primary.tlsPort, users.sentinel);
    await eventually(async () => {
      for (const { admin } of all.#sentinels) {
        const state = String(await admin.call('SENTINEL', 'MASTERS'));
        for (const part of ['num-slaves,1', 'num-other-sentinels,2'])
          if (!state.includes(part)) throw new Error(`no ${part} in ${state}`);
      }
    });
    return all;
  }

  /** `rediss+sentinel://` */
  get url(): string {
    const hosts = this.#sentinels.map(({ tlsPort }) => `127.0.0.1:${tlsPort}`);
    return `rediss+sentinel://${hosts.join(',')}/${NAME}`;
  }

  /** administrators of both servers */
  get redis(): readonly Redis[] {
    return this.#admins;
  }

  /** administrators of the Sentinels; the last one may be killed */
  get sentinels(): readonly Redis[] {
    return this.#sentinels.map(({ admin }) => admin);
  }

  /** Resolves when the replica has all that the primary has now. */
  async replicated(): Promise<void> {
    await eventually(async () => {
      await this.#admins[0]?.set('sentinel-test', Date.now());
      if ((await this.#admins[0]?.wait(1, 200)) !== 1) throw new Error('the replica does not have it');
    });
  }

  async killPrimary(): Promise<void> {
    await this.#servers[0]?.server.kill();
  }

  /** kill -9 of one Sentinel. */
  killSentinel(): void {
    this.#sentinels[2]?.process.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    for (const { process, admin } of this.#sentinels) {
      admin.disconnect();
      process.kill('SIGKILL');
      if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
    }
    for (const redis of this.#admins) redis.disconnect();
    await Promise.all(this.#servers.map(({ server }) => server.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #watch(primaryPort: number, user: readonly string[]): Promise<void> {
    const [port, tlsPort] = [await freePort(), await freePort()];
    const { cert, key } = this.authority.sign(['IP:127.0.0.1', 'DNS:localhost']);
    const file = path.join(this.#directory, `${port}.conf`);
    const lines = [
      `port ${port}`,
      `tls-port ${tlsPort}`,
      'tls-replication yes',
      `tls-ca-cert-file ${this.authority.file}`,
      `tls-cert-file ${cert}`,
      `tls-key-file ${key}`,
      'bind 127.0.0.1',
      `dir ${this.#directory}`,
      `user ${user.join(' ')}`,
      `requirepass ${ADMIN_PASSWORD}`, // of their administrator and of the Sentinels among themselves
      `sentinel sentinel-pass ${ADMIN_PASSWORD}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_MS}`,
      `sentinel failover-timeout ${NAME} 2000`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const process = spawn(REDIS_SERVER, [file, '--sentinel'], { stdio: 'ignore' });
    const admin = administrator(port, ADMIN_PASSWORD);
    this.#sentinels.push({ process, tlsPort, admin });
    await eventually(() => admin.ping());
  }
}

function administrator(port: number, password?: string): Redis {
  const redis = new Redis({
    ...{ port, host: '127.0.0.1', enableReadyCheck: false, disconnectTimeout: 250 },
    ...(password !== undefined && { password }),
  });
  redis.on('error', () => {}); // the primary is killed
  return redis;
}
