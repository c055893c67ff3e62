/**
 * A folder as a user of the client package has it: the package among its modules, put together from this build, and no
 * sources of ours. Beside it stand the packages that it needs, and those that our examples import.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
export const TSC = path.join(path.dirname(typescript), 'bin', 'tsc');

/** As strict as a user's compiler may be; `npm test` of ours is no stricter. */
export const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: false,
  skipLibCheck: false,
  target: 'es2023',
  types: ['node'],
} as const;

const { assemble } = (await import(`${root}scripts/client-files.mjs`)) as {
  assemble(directory: string): void;
};

export class Consumer {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'consumer-'));

  constructor() {
    const modules = path.join(this.directory, 'node_modules');
    mkdirSync(modules);
    for (const name of readdirSync(path.join(root, 'node_modules')))
      if (!name.startsWith('.')) symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
    assemble(path.join(modules, 'hubspot-association-queue-client'));
    this.write('package.json', '{"type":"module"}');
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.directory, file), text);
  }

  /** Compiles its .ts files beside themselves. @throws Error with the compiler's words */
  async compile(options: object = { ...STRICT, module: 'nodenext' }): Promise<void> {
    this.write('tsconfig.json', JSON.stringify({ compilerOptions: options }));
    await run(process.execPath, [TSC, '-p', this.directory]).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
  }

  /** Runs one of its files. @returns what it printed */
  async run(
    file: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { stdout } = await run(process.execPath, [file, ...args], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, ...env },
    });
    return stdout;
  }

  end(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
