// Makes a release: npm run release -- 0.2.0
//   Writes the version into both manifests, the lock file, the Helm chart and what is rendered from it, gives the changelog's
//   unreleased heading the version and the date, commits, and tags the commit v0.2.0. It pushes nothing: pushing the tag
//   starts .github/workflows/release.yml.
// The workflow calls it once more: node scripts/release.mjs --publishing v0.2.0
//   Checks that manifests, chart and changelog have the tag's version, and writes the address of the repository, which GitHub says,
//   into both manifests.
// It checks everything before it writes, and lists all problems at once.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const MANIFESTS = ['package.json', 'client/package.json'];
const CHANGELOG = 'CHANGELOG.md';
const CHART = 'deploy/helm/association-queue/Chart.yaml';
const OF_CHART = /^(version|appVersion): (.*)$/gm;
/** The chart's default values have the version as the image's tag. */
const RENDERED = 'deploy/kubernetes';
const OF_RENDERED = /(app\.kubernetes\.io\/version: "|image: "hubspot-association-queue:)[^"]*"/g;
const UNRELEASED = /^## (?:\S+ )?\(?unreleased\)?$/im;
const VERSION = /^\d+\.\d+\.\d+$/;

const readJson = file => JSON.parse(readFileSync(file, 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
const edit = (file, change) => writeFileSync(file, change(readFileSync(file, 'utf8')));
const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();

const [first = '', second = ''] = process.argv.slice(2);
const problems = first === '--publishing' ? preparePublishing(second) : release(first);
for (const problem of problems) console.error(`release: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);

function release(version) {
  const faults = [];
  const current = readJson('package.json').version;
  const changes = readFileSync(CHANGELOG, 'utf8');
  if (!VERSION.test(version))
    return [
      `"${version}" is not a version: npm run release -- ${current.replace(/\d+$/, patch => Number(patch) + 1)}`,
    ];
  // the first release has the version that the manifests already have
  if (compare(version, current) < 0) faults.push(`${version} is older than ${current}`);
  if (git('tag', '--list', `v${version}`) !== '') faults.push(`there is a tag v${version} already`);
  if (git('status', '--porcelain') !== '')
    faults.push('the working tree has changes: commit or stash them first');
  if (!UNRELEASED.test(changes)) faults.push(`${CHANGELOG} has no heading "## ${version} (unreleased)"`);
  if (faults.length > 0) return faults;

  for (const file of MANIFESTS) writeJson(file, { ...readJson(file), version });
  const lock = readJson('package-lock.json');
  lock.version = version;
  lock.packages[''].version = version;
  writeJson('package-lock.json', lock);
  const rendered = readdirSync(RENDERED).map(name => `${RENDERED}/${name}`);
  edit(CHART, text => text.replace(OF_CHART, `$1: ${version}`));
  for (const file of rendered) edit(file, text => text.replace(OF_RENDERED, `$1${version}"`));
  const today = new Date().toISOString().slice(0, 10);
  writeFileSync(CHANGELOG, changes.replace(UNRELEASED, `## ${version} (${today})`));
  const changed = [...MANIFESTS, 'package-lock.json', CHART, ...rendered, CHANGELOG];
  git('commit', '--quiet', '--message', `Release ${version}`, ...changed);
  git('tag', '--annotate', `v${version}`, '--message', `Release ${version}`);
  console.log(`released ${version} here; to publish it: git push --follow-tags`);
  return [];
}

function preparePublishing(tag) {
  const faults = [];
  const version = tag.replace(/^v/, '');
  for (const file of MANIFESTS) {
    const found = readJson(file).version;
    if (found !== version) faults.push(`${file} has version ${found}, and the tag is ${tag}`);
  }
  for (const [, name, found] of readFileSync(CHART, 'utf8').matchAll(OF_CHART))
    if (found !== version) faults.push(`${CHART} has ${name} ${found}, and the tag is ${tag}`);
  const heading = new RegExp(`^## ${version.replace(/[.]/g, '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`, 'm');
  if (!heading.test(readFileSync(CHANGELOG, 'utf8')))
    faults.push(`${CHANGELOG} has no heading "## ${version} (date)"`);
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
  if (!server || !repository)
    faults.push('GITHUB_SERVER_URL and GITHUB_REPOSITORY are not set: only the release workflow publishes');
  if (faults.length > 0) return faults;

  const address = `${server}/${repository}`;
  for (const file of MANIFESTS) {
    const directory = file.includes('/') ? { directory: file.slice(0, file.lastIndexOf('/')) } : {};
    writeJson(file, {
      ...readJson(file),
      repository: { type: 'git', url: `git+${address}.git`, ...directory },
      homepage: `${address}#readme`,
      bugs: { url: `${address}/issues` },
    });
  }
  return [];
}

/** Older, equal or newer: negative, 0, positive. */
function compare(one, other) {
  const [left, right] = [one, other].map(version => version.split('.').map(Number));
  const at = left.findIndex((number, index) => number !== right[index]);
  return at < 0 ? 0 : left[at] - right[at];
}
