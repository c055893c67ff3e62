// Renders the Helm chart with its default values into deploy/kubernetes, for `kubectl apply -k` without Helm:
//   npm run manifests
//   node scripts/render-manifests.mjs --check         writes nothing, fails if a file differs from what the chart gives
//   node scripts/render-manifests.mjs --if-possible   does nothing where helm is not fetched (scripts/chart-tools.mjs)
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { chartTools, hasChartTools } from './chart-tools.mjs';

const CHART = 'deploy/helm/association-queue';
const FOLDER = 'deploy/kubernetes';
const RELEASE = 'association-queue';
const HEAD = `# Rendered from ${CHART} by scripts/render-manifests.mjs. Change the chart, or patch this in a kustomization.\n`;
/** Helm did not install these objects, whatever rendered them. */
const OF_HELM = /^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm;

const check = process.argv.includes('--check');
if (process.argv.includes('--if-possible') && !hasChartTools()) {
  console.log(`${FOLDER} is not rendered, because helm is not fetched: npm run manifests`);
  process.exit(0);
}
const rendered = execFileSync(chartTools().helm, ['template', RELEASE, CHART], { encoding: 'utf8' });
const files = new Map();
for (const [, name, text] of rendered.matchAll(
  /^---\n# Source: \S+\/(\S+)\n([\s\S]*?)(?=^---\n|$(?![\s\S]))/gm,
))
  files.set(name, [...(files.get(name) ?? []), text.replace(OF_HELM, '')]);
for (const [name, objects] of files) {
  const file = `${FOLDER}/${name}`;
  const text = HEAD + objects.join('---\n');
  if (readOrNothing(file) === text) continue;
  if (check) {
    console.error(`${file} differs from the chart; run: npm run manifests`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.log(`wrote ${file}`);
  }
}

function readOrNothing(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
