#!/usr/bin/env node
/**
 * The command line: argv → one command of src/cli.
 *
 * 1. It registers the commands.
 * 2. It reports errors: all problems of options and configuration together, exit 2; any other error in a line, exit 1.
 * Each command declares its options in its own file, which loads the modules for the work only when the command runs, so
 * that help and mistakes are quick.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ALERTS } from './cli/alerts.js';
import { addCommand, optionTerm, PROGRAM } from './cli/command.js';
import { DASHBOARD } from './cli/dashboard.js';
import { ENQUEUE } from './cli/enqueue.js';
import { FAILURES } from './cli/failures.js';
import { GATEWAY } from './cli/gateway.js';
import { PAUSE } from './cli/pause.js';
import { REQUESTS } from './cli/requests.js';
import { RESUME } from './cli/resume.js';
import { simulator } from './cli/simulator.js';
import { STATS } from './cli/stats.js';
import { WORKER } from './cli/worker.js';
import { didYouMean, meant } from './shared/contract/did-you-mean.js';
import { ConfigError, messageOf } from './shared/contract/errors.js';
import { harmless, harmlessLines } from './shared/runtime/text.js';

async function createProgram(argv: readonly string[]): Promise<Command> {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const program = new Command(PROGRAM)
    .description(
      'Creates HubSpot associations from a queue: in full batches, within the rate limit, none lost.',
    )
    .version(version)
    .configureHelp({ optionTerm })
    .configureOutput({ outputError: () => {} }) // report() prints it
    .exitOverride()
    .showSuggestionAfterError(false) // withSuggestion() formats all suggestions alike
    .addHelpText('after', `\nExample:\n  ${ENQUEUE.example}\n  ${WORKER.example}`);
  for (const spec of [WORKER, ENQUEUE, GATEWAY, STATS, PAUSE, RESUME, DASHBOARD]) addCommand(program, spec);
  addCommand(program, await simulator(argv.includes('simulator')));
  const failures = program
    .command('failures')
    .description('Lists, retries, exports or discards rejected associations')
    .addHelpText('after', `\nExample:\n  ${PROGRAM} failures list\n  ${PROGRAM} failures retry --help`);
  for (const spec of FAILURES) addCommand(failures, spec);
  const requests = program
    .command('requests')
    .description(
      'Lists requests (what was enqueued at one time), shows one, waits for it, exports or retries its rejections, cancels it',
    )
    .addHelpText('after', `\nExample:\n  ${PROGRAM} requests list\n  ${PROGRAM} requests show --help`);
  for (const spec of REQUESTS) addCommand(requests, spec);
  const alerts = program
    .command('alerts')
    .description('Tests the webhooks')
    .addHelpText('after', `\nExample:\n  ${PROGRAM} alerts test`);
  for (const spec of ALERTS) addCommand(alerts, spec);
  return program;
}

/** Adds to an unknown command or option the one that was probably meant. Other errors stay unchanged. */
function withSuggestion(error: unknown, program: Command): unknown {
  if (!(error instanceof CommanderError) || error.exitCode === 0 || error.code === 'commander.help')
    return error;
  const problem = error.message.replace(/^error: /, ''); // unknown command 'x'
  const name = /'(.*)'/s.exec(problem)?.[1] ?? '';
  const parent = program.commands.find(command => command.name() === process.argv[2]) ?? program;
  const known = [...parent.commands.map(command => command.name()), '--help', '--version'];
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
    process.stderr.write(`See: ${command} --help\n`);
    return 2;
  }
  const debug = ['debug', 'trace'].includes(process.env.LOG_LEVEL ?? '');
  const text = debug && error instanceof Error ? error.stack : messageOf(error);
  process.stderr.write(`${command}: ${harmlessLines(text || String(error))}\n`);
  return 1;
}

async function main(): Promise<void> {
  const [, , group = ''] = process.argv;
  let command = ['failures', 'requests', 'alerts'].includes(group) ? `${PROGRAM} ${group}` : PROGRAM;
  const fail = (error: unknown) => process.exit(report(error, command));
  process.on('uncaughtException', fail); // also catches rejections that nobody awaits
  // `… | head` closes the pipe when it has read enough
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const program = (await createProgram(process.argv)).hook('preAction', (_program, action) => {
    const parent = action.parent && action.parent.name() !== PROGRAM ? `${action.parent.name()} ` : '';
    command = `${PROGRAM} ${parent}${action.name()}`;
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    fail(withSuggestion(error, program));
  }
}

await main();
