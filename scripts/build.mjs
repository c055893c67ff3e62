// Compiles src to dist and carries along what tsc does not copy (Lua scripts, HTML, CSS).
// dist is emptied first, so that a file deleted from src cannot live on in the package.
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
    process.exit(1); // tsc has said why
  }
}

/** @param {string} project @param {string} outDir where src lands in the output */
function build(project, outDir, root) {
  rmSync(root, { recursive: true, force: true });
  compile('-p', project);
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
  compile('-p', 'tsconfig.page.json'); // the dashboard's page runs in a browser: other types, same modules
  chmodSync('dist/cli.js', 0o755);
}
