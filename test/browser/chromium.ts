/**
 * A real Chromium for tests: the one CHROMIUM_PATH names, else the system's, else the system's package is installed first
 * where it may be (root or CI on Debian/Ubuntu). Undefined where there is none and none can be had: the tests say so and
 * are skipped.
 */
import { spawnSync } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
/** No service of the browser's maker is asked for anything; it runs as root in containers and has no GPU there. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  if (given) return given;
  const found = installed();
  if (found) return found;
  install();
  return installed();
}

export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: FLAGS });

const runs = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

function installed(): string | undefined {
  const name = NAMES.find(runs);
  // playwright wants a path
  return name && spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
}

function install(): void {
  spawnSync(process.execPath, ['scripts/install-debian.mjs', 'chromium', 'chromium'], { stdio: 'inherit' });
}
