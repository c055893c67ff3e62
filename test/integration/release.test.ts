/** `npm run release` in a repository of its own: what it writes, and what it refuses before it writes anything. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../scripts/release.mjs', import.meta.url));
const CHART = 'deploy/helm/association-queue/Chart.yaml';
const RENDERED = 'deploy/kubernetes/worker.yaml';
const rendered = (version: string) =>
  `apiVersion: apps/v1\napp.kubernetes.io/version: "${version}"\nimage: "hubspot-association-queue:${version}"\n`;
let directory: string;
const file = (name: string) => path.join(directory, name);
const json = (name: string) => JSON.parse(readFileSync(file(name), 'utf8'));
const git = async (...args: string[]) => (await run('git', args, { cwd: directory })).stdout.trim();
/** @returns what it said; '' if it succeeded */
const release = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> =>
  run(process.execPath, [script, ...args], { cwd: directory, env: { ...process.env, ...env } }).then(
    () => '',
    (error: { stderr: string }) => error.stderr,
  );

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'release-'));
  for (const folder of ['client', 'deploy/helm/association-queue', 'deploy/kubernetes'])
    mkdirSync(file(folder), { recursive: true });
  for (const manifest of ['package.json', 'client/package.json'])
    writeFileSync(file(manifest), JSON.stringify({ name: manifest, version: '0.1.0' }));
  writeFileSync(
    file('package-lock.json'),
    JSON.stringify({ version: '0.1.0', packages: { '': { version: '0.1.0' } } }),
  );
  writeFileSync(file('CHANGELOG.md'), '# Changelog\n\n## 0.1.0 (unreleased)\n- A line.\n');
  writeFileSync(file(CHART), 'apiVersion: v2\nversion: 0.1.0\nappVersion: 0.1.0\n');
  writeFileSync(file(RENDERED), rendered('0.1.0'));
  await git('init', '--quiet', '--initial-branch', 'main');
  await git('config', 'user.name', 'test');
  await git('config', 'user.email', 'test@example.com');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'first');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('a release', () => {
  it.each(['0.1.0', '0.2.0'])(
    'of %s has its version everywhere, a dated heading, a commit and a tag',
    async version => {
      expect(await release([version])).toBe('');
      const lock = json('package-lock.json');
      const versions = [json('package.json'), json('client/package.json'), lock, lock.packages['']];
      expect(versions.map(one => one.version)).toEqual(Array.from({ length: 4 }, () => version));
      expect(readFileSync(file(CHART), 'utf8')).toBe(
        `apiVersion: v2\nversion: ${version}\nappVersion: ${version}\n`,
      );
      expect(readFileSync(file(RENDERED), 'utf8')).toBe(rendered(version));
      expect(readFileSync(file('CHANGELOG.md'), 'utf8')).toMatch(
        new RegExp(`^# Changelog\n\n## ${version} \\(\\d{4}-\\d\\d-\\d\\d\\)\n- A line\\.\n$`),
      );
      expect(await git('status', '--porcelain')).toBe('');
      expect(await git('describe', '--exact-match')).toBe(`v${version}`);
    },
  );

  it('is refused with every reason, and changes nothing', async () => {
    await git('tag', 'v0.0.9');
    writeFileSync(file('CHANGELOG.md'), '# Changelog\n');
    const said = await release(['0.0.9']);
    for (const reason of [
      '0.0.9 is older than 0.1.0',
      'there is a tag v0.0.9',
      'has changes',
      'has no heading',
    ])
      expect(said).toContain(reason);
    expect(json('package.json').version).toBe('0.1.0');
    expect(await release(['next'])).toContain('"next" is not a version: npm run release -- 0.1.1');
  });
});

describe('publishing', () => {
  const github = { GITHUB_SERVER_URL: 'https://git.example', GITHUB_REPOSITORY: 'somebody/queue' };

  it('writes the address of the repository into both manifests', async () => {
    await release(['0.2.0']);
    expect(await release(['--publishing', 'v0.2.0'], github)).toBe('');
    expect(json('package.json')).toMatchObject({
      repository: { type: 'git', url: 'git+https://git.example/somebody/queue.git' },
      homepage: 'https://git.example/somebody/queue#readme',
      bugs: { url: 'https://git.example/somebody/queue/issues' },
    });
    expect(json('client/package.json').repository).toMatchObject({ directory: 'client' });
  });

  it('is refused under a tag of another version, without a dated heading, and outside of GitHub', async () => {
    const said = await release(['--publishing', 'v0.3.0'], { GITHUB_SERVER_URL: '', GITHUB_REPOSITORY: '' });
    for (const reason of [
      'package.json has version 0.1.0, and the tag is v0.3.0',
      'client/package.json has version 0.1.0',
      'Chart.yaml has version 0.1.0',
      'Chart.yaml has appVersion 0.1.0',
      'has no heading "## 0.3.0 (date)"',
      'GITHUB_REPOSITORY',
    ])
      expect(said).toContain(reason);
    expect(json('package.json').repository).toBeUndefined();
  });
});
