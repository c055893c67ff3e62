// Compiles src to dist and copies what tsc does not (Lua scripts, HTML, CSS).
// Empties dist first, so that the package contains no file that was deleted from src.
// --release: without source maps, because a package does not ship the sources that they lead to.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

function compile(...args) {
  try {
    execFileSync(process.execPath, [tsc, ...args], { stdio: 'inherit' });
  } catch {
    process.exit(1); // tsc has printed the reason
  }
}

const maps = process.argv.includes('--release') ? ['--sourceMap', 'false'] : [];

/** @param {string} project @param {string} outDir output directory of src */
function build(project, outDir, root) {
  rmSync(root, { recursive: true, force: true });
  compile('-p', project, ...maps);
  for (const file of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!/\.(lua|html|css|svg|json)$/.test(file)) continue;
    const target = path.join(outDir, file);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join('src', file), target);
  }
}

if (process.argv.includes('--bench')) build('tsconfig.bench.json', 'dist-bench/src', 'dist-bench');
else {
  build('tsconfig.build.json', 'dist', 'dist');
  compile('-p', 'tsconfig.page.json', ...maps); // the dashboard's page runs in a browser: other types, same modules
  chmodSync('dist/cli.js', 0o755);
}
