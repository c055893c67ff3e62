// The client package is a part of the app's build: the files that dist/index.js reaches.
// This module finds them and compares what they import with client/package.json. It writes nothing but in `assemble`.
//   eager   reached by imports: their packages must be the client's dependencies
//   lazy    reached by import() only: their packages must be its optional peer dependencies
// Bare names of packages in declarations must be dependencies as well, because a compiler reads all of them.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = file => readFileSync(path.join(root, file), 'utf8');
const withoutComments = text => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
const matches = (text, pattern) => [...text.matchAll(pattern)].map(match => match[1] ?? match[2]);

const IMPORTS = /^(?:import|export)\b[^'"]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]/gm;
const LAZY_IMPORTS = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const FILES = /new URL\(['"](\.[^'"]+)['"],\s*import\.meta\.url\)/g;
const NEEDS = /^-- needs (\S+)$/gm;

/** `@scope/name/part` → `@scope/name` */
const packageOf = name => name.split('/', name.startsWith('@') ? 2 : 1).join('/');

/** Follows a file of dist to all that it reaches. @param lazily also through import() */
function closure(entry, edges) {
  const [files, packages, todo] = [new Set(), new Set(), [entry]];
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const target of edges(file)) {
      if (target.startsWith('.')) todo.push(path.posix.join(path.posix.dirname(file), target));
      else if (!isBuiltin(target)) packages.add(packageOf(target));
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function edgesOf(file, isLazyToo) {
  const text = read(file);
  if (file.endsWith('.lua'))
    return matches(text, NEEDS).map(name => (name.startsWith('.') ? name : `./${name}`));
  const code = withoutComments(text);
  return [
    ...matches(code, IMPORTS),
    ...matches(code, FILES),
    ...(isLazyToo ? matches(code, LAZY_IMPORTS) : []),
  ];
}

/** A declaration names modules by their .js files. */
function declarationEdges(file) {
  const code = withoutComments(read(file));
  return [...matches(code, IMPORTS), ...matches(code, LAZY_IMPORTS)].map(target =>
    target.startsWith('.') ? target.replace(/\.js$/, '.d.ts') : target,
  );
}

/** @returns the files of the client below dist, and the packages that they import. dist must be built */
export function clientFiles() {
  const eager = closure('dist/index.js', file => edgesOf(file, false));
  const all = closure('dist/index.js', file => edgesOf(file, true));
  const types = closure('dist/index.d.ts', declarationEdges);
  const lazy = all.packages.filter(name => !eager.packages.includes(name));
  return { files: [...all.files, ...types.files], eager: eager.packages, lazy, types: types.packages };
}

/** @returns every way in which the client's manifest differs from what its files need, and from the app's manifest */
export function clientFaults({ eager, lazy, types }, app, client) {
  const faults = [];
  const differ = (what, has, needs) => {
    for (const name of needs.filter(each => !has.includes(each)))
      faults.push(`client/package.json: ${what} lack ${name}, which the client's files import`);
    for (const name of has.filter(each => !needs.includes(each)))
      faults.push(`client/package.json: ${what} have ${name}, which the client's files do not import`);
  };
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = client;
  differ('dependencies', Object.keys(dependencies), eager);
  differ('peerDependencies', Object.keys(peerDependencies), lazy);
  for (const name of types.filter(each => !eager.includes(each)))
    faults.push(`dist: the client's declarations import ${name}, which is not among its dependencies`);
  for (const [name, range] of Object.entries({ ...dependencies, ...peerDependencies }))
    if (range !== rangeOf(app, name))
      faults.push(
        `client/package.json: ${name} ${range} is not ${rangeOf(app, name)}, which the app is tested with: npm run fix`,
      );
  for (const name of Object.keys(peerDependencies))
    if (peerDependenciesMeta[name]?.optional !== true)
      faults.push(`client/package.json: the peer dependency ${name} is not optional`);
  for (const field of ['version', 'license', 'type'])
    if (client[field] !== app[field]) faults.push(`client/package.json: ${field} differs from package.json`);
  if (client.engines?.node !== app.engines.node)
    faults.push('client/package.json: engines differ from package.json');
  return faults;
}

/** What a library says of a package that the app is tested with: this version and those that are compatible. */
const rangeOf = (app, name) => `^${String(app.dependencies[name]).replace(/^\^/, '')}`;

/** @returns the client's manifest with the app's version and the versions of its packages */
export function likeTheApp(app, client) {
  const inStep = packages =>
    Object.fromEntries(Object.keys(packages).map(name => [name, rangeOf(app, name)]));
  const { dependencies, peerDependencies } = client;
  return {
    ...client,
    version: app.version,
    dependencies: inStep(dependencies),
    peerDependencies: inStep(peerDependencies),
  };
}

/**
 * Writes the client package, ready to be packed or imported, into a directory. dist must be built.
 * @throws Error with every fault of the manifest
 */
export function assemble(directory) {
  const found = clientFiles();
  const faults = clientFaults(
    found,
    JSON.parse(read('package.json')),
    JSON.parse(read('client/package.json')),
  );
  if (faults.length > 0) throw new Error(faults.join('\n'));
  rmSync(path.join(directory, 'dist'), { recursive: true, force: true });
  for (const file of found.files) copy(file, path.join(directory, file));
  copy('LICENSE', path.join(directory, 'LICENSE'));
  for (const file of ['package.json', 'README.md'])
    if (path.resolve(directory) !== path.join(root, 'client'))
      copy(`client/${file}`, path.join(directory, file));
}

function copy(file, target) {
  if (!existsSync(path.join(root, file))) throw new Error(`${file} is missing: run npm run build`);
  mkdirSync(path.dirname(target), { recursive: true });
  cpSync(path.join(root, file), target);
}
