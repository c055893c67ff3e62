// Checks the pages that describe the code: docs/design/architecture.md and the README.md of each folder of src.
//   1. Every source file that such a page names in backticks exists.
//   2. Every source file of a folder with a page is named in that page, or its folder is.
//   3. In the walk of one association (src/worker/README.md) each file imports, or is imported by, a file that the walk
//      has named before.
// (test/unit/docs checks links and snippets of all pages.)
// Prints each fault with the page; exit 1 if there is one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const files = root =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).map(file => path.join(root, file));
const sources = files('src').filter(file => /\.(ts|lua|html|css)$/.test(file));
const folderPages = files('src').filter(file => path.basename(file) === 'README.md');
const faults = [];
checkNames('docs/design/architecture.md', prose('docs/design/architecture.md'), sources);
for (const page of folderPages) {
  const folder = path.dirname(page);
  const own = sources.filter(file => pageOf(file) === page);
  const below = sources.filter(file => file.startsWith(`${folder}/`));
  checkNames(page, prose(page), below);
  checkComplete(page, folder, prose(page), own);
}
checkWalk('src/worker/README.md', 'The walk of one association');
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);

/** @returns a page without its blocks of code */
function prose(page) {
  return readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '');
}

/** A name is a path from the root of the repository, or the end of a path of one of `known`. */
function checkNames(page, text, known) {
  for (const name of names(text)) if (!found(name, known)) faults.push(`${page}: ${name} does not exist`);
}

/** @returns the path of a file that is named by its path, by its path below src, or by the end of a path of `known` */
function found(name, known) {
  if (existsSync(name)) return name;
  if (existsSync(`src/${name}`)) return `src/${name}`;
  return known.find(file => file.endsWith(`/${name}`));
}

/** @returns source files in backticks */
function names(text) {
  return [...text.matchAll(/`([\w./-]+\.(?:ts|lua|mjs|html|css))`/g)].map(([, name]) => name);
}

function checkComplete(page, folder, text, own) {
  const named = names(text);
  const folders = [...text.matchAll(/`([\w./-]+)\/`/g)].map(([, name]) => `${path.join(folder, name)}/`);
  for (const file of own) {
    const isNamed = named.some(name => file === name || file.endsWith(`/${name}`));
    if (!isNamed && !folders.some(one => file.startsWith(one)))
      faults.push(`${page}: ${file} is not described`);
  }
}

/** @returns the page that is closest to a file */
function pageOf(file) {
  const candidates = folderPages.filter(page => file.startsWith(`${path.dirname(page)}/`));
  return candidates.toSorted((one, other) => other.length - one.length)[0];
}

function checkWalk(page, heading) {
  const text = readFileSync(page, 'utf8');
  const walk = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0];
  if (walk === undefined) return faults.push(`${page}: there is no heading ${heading}`);
  const folder = path.dirname(page);
  const known = sources.filter(file => file.startsWith(`${folder}/`));
  const steps = names(walk).flatMap(name => found(name, known) ?? []);
  const met = [];
  for (const file of steps) {
    const isMet = met.includes(file) || met.some(other => imports(file, other) || imports(other, file));
    if (met.length > 0 && !isMet) faults.push(`${page}: the walk reaches ${file} without an import`);
    met.push(file);
  }
}

/** @returns true if a module imports, or names in a URL, another one */
function imports(file, other) {
  const text = readFileSync(file, 'utf8');
  const targets = [...text.matchAll(/'(\.{1,2}\/[^']+)'/g)].map(([, target]) =>
    path.join(path.dirname(file), target),
  );
  return targets.some(target => target.replace(/\.js$/, '.ts') === other);
}
