// npm run docs: builds the documentation as a static site in docs/site/dist, from the pages of the repository.
// npm run docs -- --serve: shows it on http://127.0.0.1:5173 and follows changes of the pages.
//   1. It installs VitePress into docs/site, if it is not there or older than the lock file.
//   2. stage.mjs copies the pages into docs/site/pages.
//   3. VitePress builds them; a link to nothing fails the build.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { stage } from './stage.mjs';

const SITE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = path.resolve(SITE, '../..');

function run(program, args) {
  const { status } = spawnSync(program, args, { cwd: SITE, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const changedAt = file => (existsSync(file) ? statSync(file).mtimeMs : 0);
const installed = path.join(SITE, 'node_modules/.package-lock.json');
if (changedAt(installed) < changedAt(path.join(SITE, 'package-lock.json')))
  run('npm', ['ci', '--no-audit', '--no-fund']);

stage(ROOT, path.join(SITE, 'pages'));
const vitepress = path.join(SITE, 'node_modules/vitepress/bin/vitepress.js');
if (process.argv.includes('--serve')) {
  watch(path.join(ROOT, 'docs'), { recursive: true }, (_event, file) => {
    if (file?.endsWith('.md') && !file.startsWith('site')) stage(ROOT, path.join(SITE, 'pages'));
  });
  const { createServer } = await import('vitepress');
  const server = await createServer(SITE, { host: '127.0.0.1' });
  await server.listen();
  server.printUrls();
} else run(process.execPath, [vitepress, 'build']);
