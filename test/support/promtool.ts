/** Debian's promtool (package prometheus). If it is missing, the tests that need it are skipped. */
import { spawnSync } from 'node:child_process';
import { test } from '@jest/globals';

const isThere = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;
if (!isThere) console.warn('promtool is missing (Debian package prometheus): what it checks is skipped');

/** A test where promtool is installed, a skipped one elsewhere. */
export const testWithPromtool: typeof test.skip = isThere ? test : test.skip;

/** @returns exit code and everything it said */
export function promtool(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
