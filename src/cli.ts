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

/** the command and its arguments, without options that may stand before the command; `help worker` is `worker --help` */
const [FIRST, ...OTHERS] = withoutEnvFile(process.argv.slice(2));
const ASKS_HELP = FIRST === 'help';
const GIVEN = ASKS_HELP ? [...OTHERS, '--help'] : withoutEnvFile(process.argv.slice(2));

/** A problem of a setting begins with its name, one of an option with dashes. */
const ABOUT_SETTING = /^[A-Z]+(_[A-Z]+)+ /;

/** commander would show the help of what it knows for an unknown command with --help. */
function checkCommand(program: Command): void {
  const [name = '', verb = ''] = GIVEN;
  if (name === '' || name.startsWith('-')) return;
  const named = program.commands.find(command => command.name() === name);
  if (!named) throw new ConfigError([`unknown command '${name}'${didYouMean(commandMeant(name, program))}`]);
  const verbs = named.commands.map(command => command.name());
  if (verbs.length > 0 && verb !== '' && !verb.startsWith('-') && !verbs.includes(verb))
    throw new ConfigError([`unknown command '${verb}'${didYouMean(meant(verb, verbs))}`]);
}

/** `wait` stands for `requests wait`, and `retry` for that of two groups. */
function commandMeant(name: string, { commands }: Command): string | undefined {
  const verbs = commands.flatMap(group =>
    group.commands.map(verb => ({ verb: verb.name(), group: group.name() })),
  );
  const near = meant(name, [
    ...new Set([...commands.map(command => command.name()), ...verbs.map(({ verb }) => verb)]),
  ]);
  const whole = verbs.filter(({ verb }) => verb === near).map(({ verb, group }) => `${group} ${verb}`);
  return whole.length > 0 ? whole.join(' or ') : near;
}

/** Adds to an unknown option before the command the one that was probably meant. Other errors stay unchanged. */
function withSuggestion(error: unknown): unknown {
  if (!(error instanceof CommanderError) || error.exitCode === 0 || error.code === 'commander.help')
    return error;
  const problem = error.message.replace(/^error: /, ''); // unknown option '--x'
  const name = /'(.*)'/s.exec(problem)?.[1] ?? '';
  return new ConfigError([problem + didYouMean(meant(name, ['--help', '--version', '--env-file']))]);
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
    checkCommand(program);
    await (ASKS_HELP ? program.parseAsync(GIVEN, { from: 'user' }) : program.parseAsync(process.argv));
  } catch (error) {
    fail(withSuggestion(error));
  }
}

await main();
