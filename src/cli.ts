#!/usr/bin/env node
/**
 * The command line: argv → one command of src/cli. src/cli/program.ts registers the commands; this file runs one and
 * reports its error: all problems of options and configuration together, exit 2; any other error in a line, exit 1.
 */
import { type Command, CommanderError } from 'commander';
import { PROGRAM } from './cli/command.js';
import { envFileHint, withoutEnvFile } from './cli/env-file.js';
import { createProgram, GROUPS } from './cli/program.js';
import { didYouMean, meant } from './shared/contract/did-you-mean.js';
import { ConfigError, messageOf } from './shared/contract/errors.js';
import { harmless, harmlessLines } from './shared/runtime/text.js';

/** the command and its arguments, without options that may stand before the command */
const GIVEN = withoutEnvFile(process.argv.slice(2));

/** A problem of a setting begins with its name, one of an option with dashes. */
const ABOUT_SETTING = /^[A-Z]+(_[A-Z]+)+ /;

/** Adds to an unknown command or option the one that was probably meant. Other errors stay unchanged. */
function withSuggestion(error: unknown, program: Command): unknown {
  if (!(error instanceof CommanderError) || error.exitCode === 0 || error.code === 'commander.help')
    return error;
  const problem = error.message.replace(/^error: /, ''); // unknown command 'x'
  const name = /'(.*)'/s.exec(problem)?.[1] ?? '';
  const parent = program.commands.find(command => command.name() === GIVEN[0]) ?? program;
  const known = [...parent.commands.map(command => command.name()), '--help', '--version', '--env-file'];
  return new ConfigError([problem + didYouMean(meant(name, known))]);
}

/** Prints an error to stderr. @returns the exit code */
function report(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    return 2; // no command: commander has shown the help
  }
  if (error instanceof ConfigError) {
    for (const problem of error.problems) process.stderr.write(`${command}: ${harmless(problem)}\n`);
    hint(error.message);
    const settings = error.problems.some(problem => ABOUT_SETTING.test(problem))
      ? ` and ${PROGRAM} settings`
      : '';
    process.stderr.write(`See: ${command} --help${settings}\n`);
    return 2;
  }
  const debug = ['debug', 'trace'].includes(process.env.LOG_LEVEL ?? '');
  const text = debug && error instanceof Error ? error.stack : messageOf(error);
  process.stderr.write(`${command}: ${harmlessLines(text || String(error))}\n`);
  hint(messageOf(error));
  return 1;
}

/** A setting that is missing here may be in a file that only this option reads. */
function hint(message: string): void {
  const text = /\bis not set\b|\bREDIS_URL says\b/.test(message) && envFileHint(process.argv, process.cwd());
  if (text) process.stderr.write(`${text}\n`);
}

async function main(): Promise<void> {
  const [group = ''] = GIVEN;
  let command = GROUPS.includes(group) ? `${PROGRAM} ${group}` : PROGRAM;
  const fail = (error: unknown) => process.exit(report(error, command));
  process.on('uncaughtException', fail); // also catches rejections that nobody awaits
  // `… | head` closes the pipe when it has read enough
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const program = (await createProgram(process.argv.includes('simulator'))).hook(
    'preAction',
    (_program, action) => {
      const parent = action.parent && action.parent.name() !== PROGRAM ? `${action.parent.name()} ` : '';
      command = `${PROGRAM} ${parent}${action.name()}`;
    },
  );
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    fail(withSuggestion(error, program));
  }
}

await main();
