/** The files of the page, read and compressed once at the start: about a dozen, all small. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

export type Asset = { type: string; etag: string; plain: Buffer; gzip: Buffer };

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Modules outside page/ that the page imports: path below /, and path in the build. */
const SHARED_MODULES = [
  ['/assets/text/state-sentence.js', 'dashboard/text/state-sentence.js'],
  ['/assets/text/rejection-words.js', 'dashboard/text/rejection-words.js'],
  ['/assets/text/request-words.js', 'dashboard/text/request-words.js'],
  ['/shared/runtime/text.js', 'shared/runtime/text.js'],
] as const;

/** @returns path below / → file. */
export function loadAssets(): Map<string, Asset> {
  const dashboard = path.join(import.meta.dirname, '..');
  const assets = new Map<string, Asset>();
  const add = (url: string, file: string) => {
    const type = TYPES[path.extname(file)];
    if (!type) return; // source maps
    const plain = readFileSync(file);
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 20)}"`;
    assets.set(url, { type, etag, plain, gzip: gzipSync(plain, { level: 9 }) });
  };
  for (const name of readdirSync(path.join(dashboard, 'page')))
    add(name === 'index.html' ? '/' : `/assets/page/${name}`, path.join(dashboard, 'page', name));
  for (const [url, file] of SHARED_MODULES) add(url, path.join(dashboard, '..', file));
  const uplot = path.dirname(createRequire(import.meta.url).resolve('uplot/package.json'));
  add('/assets/uplot.js', path.join(uplot, 'dist', 'uPlot.iife.min.js'));
  add('/assets/uplot.css', path.join(uplot, 'dist', 'uPlot.min.css'));
  return assets;
}
