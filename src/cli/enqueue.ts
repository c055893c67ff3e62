/** `association-queue enqueue FILE`: reports all problems of options, file name and settings before it loads anything. */
import type { EnqueueOptions } from '../producer/import/options.js';
import { type CommandSpec, type Given, MOST_SECONDS, PROGRAM, warnOf } from './command.js';

export const ENQUEUE: CommandSpec = {
  usage: 'enqueue FILE',
  summary:
    "Enqueues the associations of FILE: .csv, .tsv or .txt with a header (from,to and optionally category,typeId or label, or HubSpot's own headers), .ndjson with from, to and optionally types, label, fromObjectType, toObjectType, or - for stdin (NDJSON). A line with neither types nor label means HubSpot's unlabelled association. Labels are looked up at HubSpot, which needs HUBSPOT_ACCESS_TOKEN. Valid lines are enqueued; refused ones are grouped by reason.",
  flags: [
    ['--from <type>', 'object type of the from ids, such as contacts, unless the file says it'],
    ['--to <type>', 'object type of the to ids, such as companies, unless the file says it'],
    [
      '--type <type>',
      'association type of lines with neither type nor label, such as HUBSPOT_DEFINED:279; may be repeated',
    ],
    ['--label <name>', 'association label of lines with neither type nor label, such as "Decision maker"'],
    [
      '--dry-run',
      'enqueue nothing; say what would be enqueued and what refused, how long it takes, and whether FILE was enqueued before',
    ],
    ['--refused <file>', 'write all refused lines into this file, with their line number and the reason'],
    ['--from-column <name>', 'column of the from ids, such as "Record ID"'],
    ['--to-column <name>', 'column of the to ids, such as "Associated Company IDs"'],
    ['--type-column <name>', 'column of types, such as HUBSPOT_DEFINED:279; several are separated by ;'],
    ['--label-column <name>', 'column of labels; several are separated by ;'],
    ['--ignore-column <name>', 'column to leave out; may be repeated'],
    ['--delimiter <character>', 'character between cells, such as ; or tab (default: detected)'],
    ['--encoding <name>', 'such as windows-1252 (default: UTF-8 or UTF-16, detected)'],
    ['--format <format>', 'csv or ndjson, for stdin or a FILE whose name does not say it'],
    ['--fix-ids', 'read ids that a spreadsheet has formatted as numbers (101.0, 1,234), and say how many'],
    ['--any-object-type', "accept names of object types that HubSpot's guide does not list"],
    ['--source <text>', 'who or what enqueues them, such as crm-sync; failures --source finds it again'],
    [
      '--priority <priority>',
      'normal, or high: in the next calls, before everything that waits (default normal)',
    ],
    ['--wait', 'wait until everything is created, rejected or cancelled, and show how far it is'],
    ['--timeout <seconds>', 'with --wait: wait no longer than this'],
    ['--strict', 'enqueue nothing when any line is refused'],
    ['--name <text>', 'name of the request, by which people find it (default: the name of FILE)'],
    ['--again', 'enqueue FILE although it was enqueued before'],
    ['--resume <id>', 'go on with this interrupted request of FILE; it has the other options'],
  ],
  example: `${PROGRAM} enqueue links.csv --from contacts --to companies --type HUBSPOT_DEFINED:279`,
  notes: `Exits 0 when everything is enqueued, 1 when lines were refused or somebody has cancelled the
request, 2 when the command is wrong, 3 when it was interrupted: by Ctrl-C, SIGTERM, or
because Redis or HubSpot is away. Then its message has the command that goes on.
With --wait: 0 when everything is created, 1 when something was refused, rejected or
cancelled, 3 when it is not over: interrupted, or the time is up.`,
  run: async given => {
    const [file = ''] = given.operands;
    const options = optionsOf(given);
    const { formatProblems, readOptions } = await import('../producer/import/options.js');
    const { format, problems } = readOptions(options);
    given.problem(...problems);
    const { fileSource } = await import('../producer/import/source.js');
    const source = file === '' || file === '-' ? undefined : fileSource(file, format);
    if (source && 'problems' in source) given.problem(...source.problems);
    else if (file !== '')
      given.problem(...formatProblems(options, source?.source.format ?? format ?? 'ndjson'));
    const isWaiting = given.flag('wait');
    const timeout = given.integer('timeout', 0, MOST_SECONDS);
    if (timeout !== undefined && !isWaiting) given.problem('--timeout says how long to --wait: give both');
    if (isWaiting && options.dryRun)
      given.problem('--wait has nothing to wait for: --dry-run enqueues nothing');
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { compactHeap } = await import('../shared/runtime/gc.js');
    compactHeap(); // a file may have any length, and the import mostly waits for Redis
    const { runEnqueue } = await import('../producer/main.js');
    const { hubspotOptions } = await import('../labels/open-labels.js');
    const enqueued = await runEnqueue(
      { ...config, hubspot: hubspotOptions(config), limits: config },
      { file, ...options },
      process,
      untilSignal(),
    );
    if (!isWaiting || enqueued.requestId === undefined || enqueued.isInterrupted) return enqueued.code;
    const { runWait } = await import('../dashboard/requests/wait-command.js');
    // a refused line is a failure even if everything else is created
    return (await runWait(config, { given: enqueued.requestId, timeout })) || enqueued.code;
  },
};

function optionsOf(given: Given): Omit<EnqueueOptions, 'file'> {
  const type = given.list('type');
  const ignoreColumn = given.list('ignoreColumn');
  return {
    ...given.texts('format', 'from', 'to', 'label', 'source', 'priority', 'refused', 'name', 'resume'),
    ...given.texts('fromColumn', 'toColumn', 'typeColumn', 'labelColumn', 'delimiter', 'encoding'),
    ...(type.length > 0 && { type }),
    ...(ignoreColumn.length > 0 && { ignoreColumn }),
    strict: given.flag('strict'),
    again: given.flag('again'),
    dryRun: given.flag('dryRun'),
    fixIds: given.flag('fixIds'),
    anyObjectType: given.flag('anyObjectType'),
  };
}

/** The first Ctrl-C or SIGTERM stops the import where it is; the second one ends the process at once. */
function untilSignal(): AbortSignal {
  const asked = new AbortController();
  for (const [signal, words] of [
    ['SIGINT', 'interrupted by Ctrl-C'],
    ['SIGTERM', 'stopped by SIGTERM'],
  ] as const)
    process.once(signal, () => asked.abort(words));
  return asked.signal;
}
