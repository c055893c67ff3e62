// Installs a Debian/Ubuntu package where that is allowed (root, or CI with sudo) and its program is missing:
//   node scripts/install-debian.mjs PACKAGE PROGRAM
// Exit 0 if the program is installed in the end, otherwise 1. The caller then reports what is missing without it.
import { spawnSync } from 'node:child_process';

const say = line => process.stderr.write(`install-debian: ${line}\n`);
const has = program => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

const [name, program] = process.argv.slice(2);
if (!name || !program) {
  say('usage: node scripts/install-debian.mjs PACKAGE PROGRAM');
  process.exit(2);
}
if (!has(program)) {
  const root = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !has('apt-get') || !(root || process.env.CI)) {
    say(`${program} is missing, and ${name} cannot be installed here`);
    process.exit(1);
  }
  const sudo = root ? [] : ['sudo', '-n'];
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', name],
  ]) {
    // RUNLEVEL=1 keeps the package's service from starting
    const command = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', ...args];
    say(command.join(' '));
    spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  }
}
process.exit(has(program) ? 0 : 1);
