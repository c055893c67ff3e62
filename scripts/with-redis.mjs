// Runs a command with REDIS_URL pointing at a Redis that answers:
//   1. the Redis that REDIS_URL names, if it is set;
//   2. otherwise a new server on a free port with a temporary directory, which it stops and deletes afterwards.
//      If Redis is not installed, it installs the system's package where that is allowed (root or CI on Debian/Ubuntu;
//      Homebrew on macOS).
// It never uses a Redis that happens to run on the default port, because that may contain somebody's data.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const say = line => process.stderr.write(`with-redis: ${line}\n`);
const has = program => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
/** TEST_REDIS_SERVER names the program, and then no other is taken. */
const { TEST_REDIS_SERVER } = process.env;
const findServer = () =>
  (TEST_REDIS_SERVER ? [TEST_REDIS_SERVER] : ['redis-server', 'valkey-server']).find(has);

function install() {
  const root = process.getuid?.() === 0;
  const steps = [];
  if (process.platform === 'darwin' && has('brew')) steps.push(['brew', 'install', 'redis']);
  else if (process.platform === 'linux' && has('apt-get') && (root || process.env.CI)) {
    const sudo = root ? [] : ['sudo', '-n'];
    steps.push([...sudo, 'apt-get', 'update', '-qq']);
    steps.push([...sudo, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server']);
  }
  for (const [program, ...args] of steps) {
    say(`no Redis here; running: ${[program, ...args].join(' ')}`);
    spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  }
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Sends one PING over a socket, so that no package is needed before the command runs. */
const answers = (host, port) =>
  new Promise(resolve => {
    const socket = connect(port, host);
    const end = ok => {
      socket.destroy();
      resolve(ok);
    };
    socket.setTimeout(500, () => end(false));
    socket.once('error', () => end(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', () => end(true)); // even -NOAUTH or -LOADING is a Redis
  });

async function startServer() {
  let program = findServer();
  if (!program && TEST_REDIS_SERVER) {
    say(`TEST_REDIS_SERVER is ${TEST_REDIS_SERVER}, and there is no such program`);
    process.exit(1);
  }
  if (!program) {
    install();
    program = findServer();
  }
  if (!program) {
    say(
      'no Redis found. Install redis-server (Debian/Ubuntu: apt-get install redis-server; macOS: brew install redis) or set REDIS_URL.',
    );
    process.exit(1);
  }
  const port = await freePort();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-redis-'));
  const args = [
    '--port',
    port,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ];
  const server = spawn(program, args.map(String), { stdio: 'ignore' });
  const gone = new Promise(resolve => server.once('exit', resolve));
  // A signal before the command runs: clean up everything. Later the command ends first (main).
  const onSignal = () => {
    server.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  let up = false;
  for (let tries = 0; tries < 100 && !up && server.exitCode === null; tries++) {
    up = await answers('127.0.0.1', port);
    if (!up) await new Promise(resolve => setTimeout(resolve, 50));
  }
  if (!up) {
    say(`${program} did not come up on port ${port}`);
    process.exit(1);
  }
  for (const signal of SIGNALS) process.off(signal, onSignal);
  return {
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      server.kill('SIGKILL'); // its data is not needed any more
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function main() {
  const [command, ...args] = process.argv.slice(2);
  if (!command) {
    say('usage: node scripts/with-redis.mjs COMMAND [ARGUMENT ...]');
    process.exit(2);
  }
  let redis;
  if (process.env.REDIS_URL) {
    const url = new URL(process.env.REDIS_URL);
    if (!(await answers(url.hostname, Number(url.port || 6379)))) {
      say(`REDIS_URL is set, but nothing answers at ${url.hostname}:${url.port || 6379}`);
      process.exit(1);
    }
  } else redis = await startServer();

  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, REDIS_URL: redis?.url ?? process.env.REDIS_URL },
  });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  const status = await new Promise(resolve => {
    child.once('error', error => {
      say(error.message);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (os.constants.signals[signal] ?? 0)));
  });
  await redis?.stop();
  process.exit(status);
}

await main();
