// Runs suites with the newest BullMQ of the major version that package.json allows, or with the version that is given:
// node scripts/newest-bullmq.mjs [version]
// Ledger and chaos run in both ways where the release is known; what adds, cancels and retries jobs runs once.
// It works in a temporary copy of the project. It needs nothing but a package registry, and what npm ci has installed here.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const version = process.argv[2] ?? '^6';
/** What the suites below need; node_modules is copied, too, so that one package is installed and no more. */
const PARTS = [
  'src',
  'test',
  'scripts',
  'docs',
  'deploy',
  'package.json',
  'package-lock.json',
  'node_modules',
];
const FILES = ['jest.config.mjs', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.page.json'];
const SUITES = ['integration/worker-ledger', 'chaos/worker-chaos'];
/** What adds jobs, takes them back and retries them: producer, imports, gateway, cancel, retry. */
const ADDING = [
  'producer.test',
  'requests.test',
  'import-resume',
  'gateway.test',
  'gateway-outage',
  'cancel.test',
  'request-retry',
].map(name => `integration/${name}`);

const copy = mkdtempSync(path.join(os.tmpdir(), 'newest-bullmq-'));
const run = (command, args, env = {}) => {
  const { status } = spawnSync(command, args, {
    cwd: copy,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
};
try {
  for (const name of [...PARTS, ...FILES])
    cpSync(path.join(root, name), path.join(copy, name), { recursive: true, verbatimSymlinks: true });
  run('npm', ['install', '--no-audit', '--no-fund', '--save-exact', `bullmq@${version}`]);
  run('npm', ['run', '--silent', 'build']);
  const { installedRelease, isKnown } = await import(
    pathToFileURL(path.join(copy, 'dist/bullmq/fingerprint.js')).href
  );
  const release = installedRelease();
  const known = isKnown(release);
  process.stdout.write(
    `newest-bullmq: BullMQ ${release.version} is ${known ? 'known: both ways are tested' : 'unknown: workers use the public way, which is tested (src/bullmq/README.md says how to make it known)'}\n`,
  );
  const test = (env, suites) => run('npm', ['run', '--silent', 'test:run', '--', '-i', ...suites], env);
  test(known ? {} : { TEST_WAY: 'public' }, ADDING);
  if (known) test({}, ['integration/job-queue', 'integration/bullmq-', ...SUITES]);
  test({ TEST_WAY: 'public' }, SUITES);
} catch (error) {
  process.stderr.write(`newest-bullmq: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
