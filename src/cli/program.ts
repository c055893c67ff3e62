/**
 * The commands of the program: what there is, in the order of the help. Nothing runs here: src/cli.ts runs a command,
 * scripts/cli-page.mjs writes docs/reference/cli.md from the help.
 * Each command declares its options in its own file, which loads the modules for the work only when the command runs, so
 * that help and mistakes are quick.
 */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { ALERTS } from './alerts.js';
import { addCommand, type CommandSpec, gathering, optionTerm, PROGRAM } from './command.js';
import { DASHBOARD } from './dashboard.js';
import { DOCTOR } from './doctor.js';
import { ENQUEUE } from './enqueue.js';
import { ENV_FILE_FLAG, ENV_FILE_HELP } from './env-file.js';
import { FAILURES } from './failures.js';
import { GATEWAY } from './gateway.js';
import { PAUSE } from './pause.js';
import { REQUESTS } from './requests.js';
import { RESUME } from './resume.js';
import { SETTINGS_LIST } from './settings.js';
import { simulator } from './simulator.js';
import { STATS } from './stats.js';
import { WORKER } from './worker.js';

type Group = { name: string; summary: string; specs: readonly CommandSpec[]; examples: readonly string[] };

/** Commands with verbs of their own. */
const VERBS: readonly Group[] = [
  {
    name: 'failures',
    summary: 'Lists, retries, exports or discards rejected associations',
    specs: FAILURES,
    examples: ['list', 'retry --help'],
  },
  {
    name: 'requests',
    summary:
      'Lists requests (what was enqueued at one time), shows one, waits for it, exports or retries its rejections, cancels it',
    specs: REQUESTS,
    examples: ['list', 'show --help'],
  },
  { name: 'alerts', summary: 'Tests the webhooks', specs: ALERTS, examples: ['test'] },
];
export const GROUPS: readonly string[] = VERBS.map(({ name }) => name);

/** @param withSimulator loads the simulator, whose module has its options */
export async function createProgram(withSimulator: boolean): Promise<Command> {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const program = new Command(PROGRAM)
    .description(
      'Creates HubSpot associations from a queue: in full batches, within the rate limit, none lost.',
    )
    .version(version)
    .addOption(gathering(new Option(ENV_FILE_FLAG, ENV_FILE_HELP)))
    .configureHelp({ optionTerm, showGlobalOptions: true })
    .configureOutput({ outputError: () => {} }) // report() of cli.ts prints it
    .exitOverride()
    .showSuggestionAfterError(false) // withSuggestion() of cli.ts formats all suggestions alike
    .addHelpText('after', `\nExample:\n  ${ENQUEUE.example}\n  ${WORKER.example}`);
  for (const spec of [WORKER, ENQUEUE, GATEWAY, STATS, PAUSE, RESUME, DASHBOARD, DOCTOR, SETTINGS_LIST])
    addCommand(program, spec);
  addCommand(program, await simulator(withSimulator));
  for (const { name, summary, specs, examples } of VERBS) {
    const lines = examples.map(example => `\n  ${PROGRAM} ${name} ${example}`);
    const group = program
      .command(name)
      .description(summary)
      .addHelpText('after', `\nExample:${lines.join('')}`);
    for (const spec of specs) addCommand(group, spec);
  }
  return program;
}
