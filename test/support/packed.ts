/**
 * Both packages as the registry would have them: packed from a clean clone of this repository's HEAD, which has no dist, and
 * installed into empty folders. Packing builds; installing asks the package registry for what npm's cache does not have.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const MOST_OUTPUT = 64 * 1024 * 1024;

export type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
};
export type Packed = {
  /** in which it is installed, alone */
  readonly directory: string;
  /** below the package, without `package/` */
  readonly files: readonly string[];
  /** as it is published */
  readonly manifest: Manifest;
  /** what npm said of the installation */
  readonly warnings: string;
};
type Lock = {
  readonly packages: {
    readonly [place: string]: { readonly [list: string]: { readonly [name: string]: string } };
  };
};

export class PackedPackages {
  readonly #place = mkdtempSync(path.join(tmpdir(), 'packages-'));
  #client: Packed | undefined;
  #app: Packed | undefined;

  get client(): Packed {
    if (!this.#client) throw new Error('call make() first');
    return this.#client;
  }

  get app(): Packed {
    if (!this.#app) throw new Error('call make() first');
    return this.#app;
  }

  async make(): Promise<void> {
    const clone = path.join(this.#place, 'clone');
    await run('git', ['clone', '--quiet', '--no-tags', root, clone]).catch(() => copyTo(clone));
    symlinkSync(path.join(root, 'node_modules'), path.join(clone, 'node_modules')); // as `npm ci` does
    this.#client = await this.#pack(clone, './client');
    this.#app = await this.#pack(clone, '.');
  }

  end(): void {
    rmSync(this.#place, { recursive: true, force: true });
  }

  async #pack(clone: string, folder: string): Promise<Packed> {
    const args = ['pack', folder, '--json', '--pack-destination', this.#place];
    const { stdout } = await run('npm', args, { cwd: clone, maxBuffer: MOST_OUTPUT });
    // a build may print before the JSON
    const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [
      { filename: string; files: { path: string }[] },
    ];
    const directory = path.join(this.#place, folder === '.' ? 'app' : 'client');
    mkdirSync(directory);
    writeFileSync(path.join(directory, 'package.json'), '{"name":"consumer","private":true,"type":"module"}');
    const tarball = path.join(this.#place, packed.filename);
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball];
    const { stderr } = await run('npm', install, { cwd: directory });
    const name = folder === '.' ? 'hubspot-association-queue' : 'hubspot-association-queue-client';
    const manifest = readFileSync(path.join(directory, 'node_modules', name, 'package.json'), 'utf8');
    return {
      directory,
      files: packed.files.map(file => file.path),
      manifest: JSON.parse(manifest) as Manifest,
      warnings: stderr
        .split('\n')
        // npm 11 says of each package with an install script that it did not run it
        .filter(line => /^npm (warn|error) (?!install-scripts)/i.test(line))
        .join('\n'),
    };
  }
}

/** Of a tree that is no repository, such as an unpacked archive: everything but what a build or an installation made. */
function copyTo(clone: string): void {
  const isMade = (name: string) => /^(node_modules|dist|dist-bench|coverage|\.git)$/.test(name);
  cpSync(root, clone, { recursive: true, filter: source => !isMade(path.basename(source)) });
}

/** @returns the places of all packages that npm installed, and of those that the named ones bring along */
export function installed(
  directory: string,
  names: readonly string[],
): { all: string[]; brought: Set<string> } {
  const { packages } = JSON.parse(readFileSync(path.join(directory, 'package-lock.json'), 'utf8')) as Lock;
  const brought = new Set<string>();
  const add = (from: string, name: string): void => {
    for (let base = from; ; base = base.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
      const place = `${base}${base === '' ? '' : '/'}node_modules/${name}`;
      const found = packages[place];
      if (found && !brought.has(place)) {
        brought.add(place);
        for (const need of Object.keys({ ...found.dependencies, ...found.optionalDependencies }))
          add(place, need);
      }
      if (found || base === '') return;
    }
  };
  for (const name of names) add('', name);
  return { all: Object.keys(packages).filter(place => place !== ''), brought };
}
