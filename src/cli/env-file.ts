/**
 * `--env-file FILE`, for every command: settings from a file of lines NAME=value, as Node and Docker read them.
 * The environment wins over the file. Nothing is read unless the option names it (docs/decisions/0053). Node 20 takes this
 * option for its own as well, wherever it stands: it reads the file first, with the same result, and ends with 9 if there is none.
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { messageOf } from '../shared/contract/errors.js';

type Variables = Record<string, string | undefined>;

export const ENV_FILE_FLAG = '--env-file [file]';
export const ENV_FILE_HELP =
  'read settings (association-queue settings lists them) from this file of lines NAME=value; a variable of the environment wins over the file. May be repeated; a later file wins over an earlier one';

const isSet = (value: string | undefined): boolean => (value ?? '').trim() !== '';

/**
 * Adds the settings of the files to `env`.
 * @returns a problem for every file that cannot be read; never a value of a file
 */
export function addEnvFiles(files: readonly string[], env: Variables): string[] {
  const problems: string[] = [];
  const found: Variables = {};
  for (const file of files) {
    try {
      Object.assign(found, parseEnv(readFileSync(file, 'utf8')));
    } catch (error) {
      problems.push(`--env-file "${file}" cannot be read: ${messageOf(error)}`);
    }
  }
  for (const [name, value] of Object.entries(found)) if (!isSet(env[name])) env[name] = value;
  return problems;
}

/** @returns the arguments without this option and its value, wherever it stands */
export const withoutEnvFile = (args: readonly string[]): string[] =>
  args.filter((arg, at) => !/^--env-file(=|$)/.test(arg) && args[at - 1] !== '--env-file');

/** @returns a hint after an error about settings, if a file .env is here that the command did not read; else '' */
export const envFileHint = (args: readonly string[], folder: string): string =>
  withoutEnvFile(args).length === args.length && existsSync(`${folder}/.env`)
    ? 'The file .env in this folder was not read: add --env-file .env'
    : '';
