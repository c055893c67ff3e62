// prepack of the client package: builds the app and puts the client's part of it into client/dist, so that `npm pack` and
// `npm publish` never pack an old build, nor one that lacks a file.
// --check: writes nothing; fails if client/package.json does not fit the present build.
// --fix: writes what the app's manifest decides into client/package.json: its version, and the versions of packages.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assemble, clientFaults, clientFiles, likeTheApp } from './client-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = file => JSON.parse(readFileSync(`${root}${file}`, 'utf8'));

if (process.argv.includes('--check')) {
  const faults = clientFaults(clientFiles(), manifest('package.json'), manifest('client/package.json'));
  for (const fault of faults) console.error(fault);
  process.exit(faults.length > 0 ? 1 : 0);
}
if (process.argv.includes('--fix')) {
  const fixed = likeTheApp(manifest('package.json'), manifest('client/package.json'));
  writeFileSync(`${root}client/package.json`, `${JSON.stringify(fixed, null, 2)}\n`);
  process.exit(0);
}
execFileSync(process.execPath, ['scripts/build.mjs', '--release'], { cwd: root, stdio: 'inherit' });
assemble(`${root}client`);
