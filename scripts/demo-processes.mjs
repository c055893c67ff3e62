// Starts and stops the demo's processes and removes its temporary directory.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** A worker drains within SHUTDOWN_TIMEOUT_MS; a process that takes longer is killed. */
const PATIENCE_MS = 15_000;

export class Processes {
  #children = new Set();
  #leave;
  #over = false;

  /** @param settings environment of every process; they inherit no other setting, so that .env files do not interfere */
  constructor(settings) {
    const { PATH, HOME, TMPDIR } = process.env;
    this.settings = { ...(PATH && { PATH }), ...(HOME && { HOME }), ...(TMPDIR && { TMPDIR }), ...settings };
    this.directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-demo-'));
    // Cleans up synchronously however this process ends, even by an exception.
    this.#leave = () => this.#now();
    process.on('exit', this.#leave);
  }

  /** Runs a command to its end. @returns its stdout @throws Error with its stderr if the exit code is not 0 */
  async run(...args) {
    const child = this.#spawn(args, 'pipe');
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', text => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text;
    });
    const code = await child.ended;
    if (code === 0) return stdout;
    throw new Error(`association-queue ${args.join(' ')} ended with ${code}\n${lastLines(stderr + stdout)}`);
  }

  /**
   * Starts a service; its output goes to a file.
   * @param onDeath called with an Error if the service ends before it was told to
   */
  start(name, args, onDeath, settings = {}) {
    const log = path.join(this.directory, `${name.replaceAll(' ', '-')}.log`);
    const file = openSync(log, 'a');
    const child = this.#spawn(args, file, settings);
    closeSync(file);
    const service = { name, child, asked: false, said: () => readFileSync(log, 'utf8') };
    child.ended.then(code => {
      if (!service.asked && !this.#over)
        onDeath(new Error(`the ${name} ended by itself (${code})\n${lastLines(service.said())}`));
    });
    return service;
  }

  /** Sends SIGTERM to services, waits, and kills those that take too long. @returns the names of the killed ones */
  async stop(...services) {
    for (const service of services) {
      service.asked = true;
      service.child.kill('SIGTERM');
    }
    const killed = [];
    const insist = setTimeout(() => {
      for (const { name, child } of services) if (child.kill('SIGKILL')) killed.push(name);
    }, PATIENCE_MS);
    await Promise.all(services.map(({ child }) => child.ended));
    clearTimeout(insist);
    return killed;
  }

  /** Kills running services and removes all files. */
  async clear() {
    const children = [...this.#children];
    this.#now();
    await Promise.all(children.map(child => child.ended));
    rmSync(this.directory, { recursive: true, force: true }); // includes what the services wrote at the end
    process.off('exit', this.#leave);
  }

  #now() {
    this.#over = true;
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  #spawn(args, output, settings = {}) {
    const child = spawn(process.execPath, [CLI, ...args], {
      env: { ...this.settings, ...settings },
      stdio: ['ignore', output, output],
    });
    this.#children.add(child);
    child.ended = new Promise(resolve => {
      child.once('error', error => resolve(error.message));
      child.once('close', (code, signal) => resolve(code ?? signal));
    });
    child.ended.then(() => this.#children.delete(child));
    return child;
  }
}

const lastLines = text =>
  text
    .trim()
    .split('\n')
    .slice(-8)
    .map(line => `  ${line.slice(0, 400)}`)
    .join('\n');
