#!/usr/bin/env node
/**
 * The command line: argv → one call.
 *
 * 1. Says what the commands and their options are.
 * 2. Says what went wrong: options and configuration with all their problems, exit 2; anything else in a line, exit 1.
 * Not for what the commands do: their modules are loaded when their command runs, so that help and mistakes are quick.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCommand, type CommandSpec, optionTerm } from './cli/command.js';
import type { Grouping } from './dashboard/failures/failure-groups.js';
import type { FailureVerb } from './dashboard/main.js';
import { ConfigError, messageOf } from './shared/contract/errors.js';
import { harmless, harmlessLines } from './shared/runtime/text.js';

const NAME = 'association-queue';

/** Commands say it on stderr; services have a log. */
function warnOf({ warnings }: { readonly warnings: readonly string[] }): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}

const WORKER: CommandSpec = {
  usage: 'worker',
  summary:
    'Runs one worker replica. HUBSPOT_ACCESS_TOKEN and the other settings come from the environment. SIGTERM or SIGINT: calls in flight may end, the rest goes back to the queue.',
  flags: [],
  example: `HUBSPOT_ACCESS_TOKEN_FILE=/run/secrets/hubspot ${NAME} worker`,
  run: async given => {
    const { parseConfig } = await import('./shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, { token: true }));
    const { runWorker } = await import('./worker/main.js');
    await runWorker(config);
    // everything has stopped; BullMQ's connections would go on knocking at a Redis that is away
    process.exit(0);
  },
};

const ENQUEUE: CommandSpec = {
  usage: 'enqueue FILE',
  summary:
    "Enqueues the associations of FILE: .csv (header from,to and optional category,typeId, label), .ndjson (from, to and optional types, label, fromObjectType, toObjectType), or - for NDJSON on stdin. Without types and label it is HubSpot's unlabelled association. Labels are looked up at HubSpot, which needs HUBSPOT_ACCESS_TOKEN. Refused lines are listed; exit 1 when there are any.",
  flags: [
    ['--from <type>', 'object type of the from ids, such as contacts'],
    ['--to <type>', 'object type of the to ids, such as companies'],
    [
      '--type <type>',
      'association type of lines with neither type nor label, such as HUBSPOT_DEFINED:279; may be repeated',
    ],
    ['--label <name>', 'association label of lines with neither type nor label, such as "Decision maker"'],
    ['--source <text>', 'who enqueues them; kept in the jobs'],
    [
      '--priority <priority>',
      'high: they ride in the next calls, before everything that waits (default normal)',
    ],
    ['--strict', 'enqueue nothing when any line is refused'],
  ],
  example: `${NAME} enqueue links.csv --from contacts --to companies --type HUBSPOT_DEFINED:279`,
  run: async given => {
    const [file = ''] = given.operands;
    const type = given.list('type');
    const options = given.texts('from', 'to', 'label', 'source', 'priority');
    const { associationFaults, parseType } = await import('./shared/contract/association.js');
    const objectTypes = {
      fromObjectType: options.from ?? 'contacts',
      toObjectType: options.to ?? 'companies',
    };
    const faults = associationFaults({
      ...objectTypes,
      from: 1,
      to: 1,
      label: options.label,
    });
    given.problem(
      ...faults.map(fault => fault.replace(/^(from|to)ObjectType:/, '--$1').replace(/^label:/, '--label')),
    );
    for (const text of type) {
      try {
        parseType(text);
      } catch (error) {
        given.problem(`--type ${messageOf(error)}`);
      }
    }
    const { priorityProblem } = await import('./shared/contract/keys.js');
    const fault = priorityProblem(options.priority ?? 'normal');
    if (fault) given.problem(`--${fault}`);
    const { fileSource } = await import('./producer/import/source.js');
    const source = file === '' || file === '-' ? undefined : fileSource(file);
    if (source && 'problems' in source) given.problem(...source.problems);
    const { parseConfig } = await import('./shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { compactHeap } = await import('./shared/runtime/gc.js');
    compactHeap(); // a file may be of any length, and waits for Redis more than for us
    const { runEnqueue } = await import('./producer/main.js');
    const { hubspotOptions } = await import('./labels/open-labels.js');
    const strict = given.flag('strict');
    return runEnqueue(
      { ...config, hubspot: hubspotOptions(config) },
      { file, strict, ...options, ...(type.length > 0 && { type }) },
    );
  },
};

const GATEWAY: CommandSpec = {
  usage: 'gateway',
  summary:
    "Takes associations over HTTP: HubSpot's own batch/create call with any number of inputs, answered as soon as they are safe in the queue. SIGTERM or SIGINT: answers what it accepted and ends.",
  flags: [],
  example: `GATEWAY_PORT=3000 ${NAME} gateway\ncurl http://127.0.0.1:3000/docs`,
  run: async given => {
    const { parseConfig } = await import('./shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, { gateway: true }));
    const { runGateway } = await import('./gateway/main.js');
    await runGateway(config);
    process.exit(0);
  },
};

const DASHBOARD: CommandSpec = {
  usage: 'dashboard',
  summary:
    'Shows and steers the queue in a browser: state, throughput, rejections, workers, search; Bull Board under /queues. On 127.0.0.1:3001; elsewhere it needs DASHBOARD_USER and DASHBOARD_PASSWORD.',
  flags: [],
  example: `${NAME} dashboard\nDASHBOARD_HOST=0.0.0.0 DASHBOARD_USER=oncall DASHBOARD_PASSWORD=… DASHBOARD_READ_ONLY=true ${NAME} dashboard`,
  run: async given => {
    const { parseConfig } = await import('./shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, { dashboard: true }));
    const { runDashboard } = await import('./dashboard/web/main.js');
    await runDashboard(config);
    process.exit(0);
  },
};

const STATS: CommandSpec = {
  usage: 'stats',
  summary: 'Shows one snapshot of the queue: totals since it was created, all replicas together.',
  flags: [
    ['--json', 'as JSON, for programs'],
    ['--watch', 'on the whole screen, every second until Ctrl-C; in a pipe, a line each'],
  ],
  example: `${NAME} stats --watch\n${NAME} stats --json | jq .associations`,
  run: async given => {
    const { parseConfig } = await import('./shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runStats } = await import('./dashboard/main.js');
    await runStats(config, { json: given.flag('json'), watch: given.flag('watch') });
    return 0;
  },
};

/** As src/dashboard has them, whose modules are loaded only when they are needed. */
const GROUPINGS: readonly string[] = ['category', 'message', 'objectPair'] satisfies Grouping[];

const FAILURE_FILTERS = [
  ['--category <category>', 'only this error, as list shows it, such as OBJECT_NOT_FOUND'],
  ['--from <type>', 'only associations from this object type, such as contacts'],
  ['--to <type>', 'only associations to this object type, such as companies'],
] as const;

const failures = (verb: FailureVerb, spec: Omit<CommandSpec, 'usage' | 'run'>): CommandSpec => ({
  ...spec,
  usage: verb,
  flags: [...FAILURE_FILTERS, ...spec.flags],
  run: async given => {
    const filter = given.texts('category', 'from', 'to');
    const options = { ...filter, json: given.flag('json'), yes: given.flag('yes') };
    if (verb === 'discard' && !options.yes && !process.stdin.isTTY)
      given.problem('discard asks before it removes anything, and nobody can answer here: add --yes');
    const groupBy = given.texts('groupBy').groupBy;
    if (groupBy !== undefined && !GROUPINGS.includes(groupBy))
      given.problem(`--group-by "${groupBy}" is not one of ${GROUPINGS.join(', ')}`);
    const { parseConfig } = await import('./shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runFailures } = await import('./dashboard/main.js');
    return runFailures(config, verb, { ...options, ...(groupBy && { groupBy: groupBy as Grouping }) });
  },
});

const FAILURES: readonly CommandSpec[] = [
  failures('list', {
    summary: 'Lists rejected associations, grouped by error and object pair.',
    flags: [
      ['--group-by <what>', `a row for each ${GROUPINGS.join(', ')}; without it, for all three together`],
      ['--json', 'as JSON, for programs'],
    ],
    example: `${NAME} failures list --from contacts\n${NAME} failures list --group-by category`,
  }),
  failures('retry', {
    summary:
      'Puts rejected associations back to be tried again. A job goes back as a whole: its associations with other errors come along.',
    flags: [],
    example: `${NAME} failures retry --category OBJECT_NOT_FOUND`,
  }),
  failures('export', {
    summary:
      'Writes rejected associations to stdout as NDJSON that enqueue accepts, each with its error. They stay in the list until they are discarded or created by a retry.',
    flags: [],
    example: `${NAME} failures export --category VALIDATION_ERROR > rejected.ndjson\n${NAME} enqueue rejected.ndjson`,
  }),
  failures('discard', {
    summary:
      'Removes rejected associations for good, only those that match. They stay counted as rejected. Asks first.',
    flags: [['--yes', 'do not ask']],
    example: `${NAME} failures discard --category OBJECT_NOT_FOUND --yes`,
  }),
];

/** Its options are its module's to say, which is loaded only when it is asked for. */
async function simulator(loaded: boolean): Promise<CommandSpec> {
  const summary = 'Stands in for HubSpot, for development and tests: real limits, faults on request.';
  const example = `${NAME} simulator --port 8787\nHUBSPOT_BASE_URL=http://127.0.0.1:8787 HUBSPOT_ACCESS_TOKEN=any ${NAME} worker`;
  const spec = { usage: 'simulator', summary, flags: [], example, run: async () => 0 };
  if (!loaded) return spec;
  const { CONVENTIONS_TEXT, parseSimulatorFlags, runSimulator, SIMULATOR_FLAGS } = await import(
    './simulator/main.js'
  );
  return {
    ...spec,
    flags: SIMULATOR_FLAGS.map(({ flag, description, default: value }) => [
      flag,
      value === '' ? description : `${description} (default ${value})`,
    ]),
    notes: CONVENTIONS_TEXT,
    run: async given => {
      const options = given.texts(...SIMULATOR_FLAGS.map(({ option }) => option));
      given.settle(() => parseSimulatorFlags(options));
      await runSimulator(options);
      return 0;
    },
  };
}

async function createProgram(argv: readonly string[]): Promise<Command> {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const program = new Command(NAME)
    .description(
      'Creates HubSpot associations from a queue: in full batches, within the rate limit, none lost.',
    )
    .version(version)
    .configureHelp({ optionTerm })
    .configureOutput({ outputError: () => {} }) // report() says it
    .exitOverride()
    .addHelpText('after', `\nExample:\n  ${ENQUEUE.example}\n  ${WORKER.example}`);
  for (const spec of [WORKER, ENQUEUE, GATEWAY, STATS, DASHBOARD]) addCommand(program, spec);
  addCommand(program, await simulator(argv.includes('simulator')));
  const failures = program
    .command('failures')
    .description('Lists, retries, exports or discards rejected associations')
    .addHelpText('after', `\nExample:\n  ${NAME} failures list\n  ${NAME} failures retry --help`);
  for (const spec of FAILURES) addCommand(failures, spec);
  return program;
}

/** Says on stderr what went wrong. @returns the exit code */
function report(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // --help, --version
    if (error.code === 'commander.help') return 2; // no command: commander has shown the help
    // "error: unknown command 'x'\n(Did you mean y?)"
    const problem = error.message.replace(/^error: /, '').replace(/\s*\(Did (.*)\)$/s, ': did $1');
    return report(new ConfigError([problem]), command);
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
  let command = process.argv[2] === 'failures' ? `${NAME} failures` : NAME;
  const fail = (error: unknown) => process.exit(report(error, command));
  process.on('uncaughtException', fail); // rejections that nobody awaits come here too
  // `… | head` has read enough
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const program = (await createProgram(process.argv)).hook('preAction', (_program, action) => {
    const parent = action.parent && action.parent.name() !== NAME ? `${action.parent.name()} ` : '';
    command = `${NAME} ${parent}${action.name()}`;
  });
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    fail(error);
  }
}

await main();
