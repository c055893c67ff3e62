/** Settings from a file: what wins, and what a missing file says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { addEnvFiles, envFileHint, withoutEnvFile } from '../../../src/cli/env-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'association-queue-env-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileOf(text: string, name = '.env'): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe('a file with settings', () => {
  it('adds what the environment does not set; an empty variable counts as unset', () => {
    const file = fileOf('# a comment\nREDIS_URL=redis://file\nLOG_LEVEL="debug"\nQUEUE_PREFIX=file # ours\n');
    const env: Record<string, string | undefined> = { REDIS_URL: 'redis://environment', LOG_LEVEL: ' ' };
    expect(addEnvFiles([file], env)).toEqual([]);
    expect(env).toEqual({ REDIS_URL: 'redis://environment', LOG_LEVEL: 'debug', QUEUE_PREFIX: 'file' });
  });

  it('wins over an earlier file', () => {
    const files = [fileOf('A=1\nB=1\n', 'one'), fileOf('B=2\n', 'two')];
    const env: Record<string, string | undefined> = {};
    addEnvFiles(files, env);
    expect(env).toEqual({ A: '1', B: '2' });
  });

  it('that cannot be read is a problem each, and the others count', () => {
    const env: Record<string, string | undefined> = {};
    const problems = addEnvFiles([path.join(folder, 'none'), fileOf('A=1'), folder], env);
    expect(problems).toEqual([
      expect.stringMatching(/^--env-file ".*none" cannot be read: ENOENT/),
      expect.stringMatching(/^--env-file ".*" cannot be read: EISDIR/),
    ]);
    expect(env).toEqual({ A: '1' });
  });
});

it('the option is found wherever it stands', () => {
  expect(withoutEnvFile(['--env-file', '.env', 'failures', 'list'])).toEqual(['failures', 'list']);
  expect(withoutEnvFile(['failures', '--env-file=.env', 'list'])).toEqual(['failures', 'list']);
  expect(withoutEnvFile(['stats', '--json'])).toEqual(['stats', '--json']);
});

it('a file .env that nobody reads is mentioned, and only then', () => {
  expect(envFileHint(['worker'], folder)).toBe('');
  fileOf('A=1');
  expect(envFileHint(['worker'], folder)).toMatch(/add --env-file \.env$/);
  expect(envFileHint(['worker', '--env-file', '.env'], folder)).toBe('');
});
