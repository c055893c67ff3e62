// Compiles src to dist, copies what tsc does not (Lua scripts, HTML, CSS), and bundles TypeBox into one file.
// Empties dist first, so that the package contains no file that was deleted from src.
// --release: without source maps, because a package does not ship the sources that they lead to.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { buildSync } from 'esbuild';

const require = createRequire(import.meta.url);
const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');

function compile(...args) {
  try {
    execFileSync(process.execPath, [tsc, ...args], { stdio: 'inherit' });
  } catch {
    process.exit(1); // tsc has printed the reason
  }
}

/** Loading the 700 modules of TypeBox took 0.4 s of processor time at every start. */
function bundleTypeBox(outDir) {
  const file = path.join(outDir, 'shared/contract/typebox.js');
  const licence = readFileSync(path.join('node_modules', 'typebox', 'license'), 'utf8');
  const options = { bundle: true, format: 'esm', platform: 'node', target: 'node20', legalComments: 'none' };
  buildSync({
    ...{ ...options, entryPoints: [file], outfile: file, allowOverwrite: true, logLevel: 'warning' },
    banner: { js: `/*\n${licence.trim()}\n*/` },
  });
  rmSync(`${file}.map`, { force: true });
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

if (process.argv.includes('--bench')) {
  build('tsconfig.bench.json', 'dist-bench/src', 'dist-bench');
  bundleTypeBox('dist-bench/src');
} else {
  build('tsconfig.build.json', 'dist', 'dist');
  compile('-p', 'tsconfig.page.json', ...maps); // the dashboard's page runs in a browser: other types, same modules
  bundleTypeBox('dist');
  chmodSync('dist/cli.js', 0o755);
}
