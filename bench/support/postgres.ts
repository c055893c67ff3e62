/**
 * Starts a PostgreSQL on a free port with a temporary directory, which is deleted afterwards.
 * Like the Redis of the bench it keeps nothing safe on disk: no fsync, no waiting for commits.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sleep } from '../../src/shared/runtime/wait.js';
import { atEnd } from './cleanup.js';
import { findPrograms, install, someUser, type User } from './postgres-programs.js';
import type { Answer } from './row.js';

const STARTS_WITHIN_MS = 30_000;
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '512MB',
  max_wal_size: '8GB',
};

export type Postgres = { readonly url: string; stop(): Promise<void> };
type Say = (line: string) => void;

/** @returns the reason if none is found and none can be installed */
async function startPostgres(say: Say): Promise<Postgres | string> {
  const programs = findPrograms() ?? (install(say) ? findPrograms() : undefined);
  if (!programs)
    return 'no PostgreSQL here (Debian/Ubuntu: apt-get install postgresql; macOS: brew install postgresql)';
  const user = someUser();
  if (!user && process.getuid?.() === 0)
    return 'PostgreSQL is not run by root, and there is no user "postgres" or "nobody"';
  return run(programs, user);
}

/** The version that would be started; undefined if none is installed yet. */
export function postgresVersion(): string | undefined {
  const programs = findPrograms();
  const text =
    programs && spawnSync(path.join(programs, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout;
  return text ? /\d[\d.]*/.exec(text)?.[0] : undefined;
}

/** Runs `use` with a PostgreSQL, or with undefined and a row that gives the reason. */
export async function withPostgres<T>(
  say: Say,
  answer: Answer,
  use: (postgres: Postgres | undefined) => Promise<T>,
): Promise<T> {
  const postgres = await startPostgres(say);
  if (typeof postgres === 'string') {
    say(`SKIPPED pg-boss: ${postgres}`);
    answer({ what: `pg-boss SKIPPED: ${postgres}`, unit: '', values: [] });
    return use(undefined);
  }
  try {
    return await use(postgres);
  } finally {
    await postgres.stop();
  }
}

async function run(programs: string, user: User): Promise<Postgres> {
  const directory = mkdtempSync(path.join(tmpdir(), 'association-queue-postgres-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  if (user) chownSync(directory, user.uid, user.gid);
  const as = { cwd: directory, ...user };
  const [data, port] = [path.join(directory, 'data'), await freePort()];
  const init = spawnSync(
    path.join(programs, 'initdb'),
    ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...as, encoding: 'utf8' },
  );
  if (init.status !== 0) {
    remove();
    throw new Error(`initdb failed: ${init.error?.message ?? init.stderr}`);
  }
  const settings = Object.entries({ ...SETTINGS, port }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const log = path.join(directory, 'log');
  const output = openSync(log, 'a');
  const server = spawn(path.join(programs, 'postgres'), ['-D', data, ...settings], {
    ...as,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const gone = once(server, 'exit');
  const stop = async () => {
    server.kill('SIGQUIT'); // its data is not needed any more
    await gone;
    remove();
  };
  const forget = atEnd(stop);
  const end = async () => {
    forget();
    await stop();
  };
  const since = performance.now();
  while (!readFileSync(log, 'utf8').includes('ready to accept connections')) {
    if (server.exitCode !== null || performance.now() - since > STARTS_WITHIN_MS) {
      const said = readFileSync(log, 'utf8');
      await end();
      throw new Error(`PostgreSQL did not start:\n${said}`);
    }
    await sleep(20);
  }
  return { url: `postgres://bench@127.0.0.1:${port}/postgres`, stop: end };
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
