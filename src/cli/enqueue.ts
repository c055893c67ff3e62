/** `association-queue enqueue FILE`: reports all problems of options, file name and settings before it loads anything. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

export const ENQUEUE: CommandSpec = {
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
  example: `${PROGRAM} enqueue links.csv --from contacts --to companies --type HUBSPOT_DEFINED:279`,
  run: async given => {
    const [file = ''] = given.operands;
    const type = given.list('type');
    const options = {
      ...given.texts('from', 'to', 'label', 'source', 'priority'),
      ...(type.length > 0 && { type }),
    };
    const { readOptions } = await import('../producer/import/options.js');
    given.problem(...readOptions(options).problems);
    const { fileSource } = await import('../producer/import/source.js');
    const source = file === '' || file === '-' ? undefined : fileSource(file);
    if (source && 'problems' in source) given.problem(...source.problems);
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { compactHeap } = await import('../shared/runtime/gc.js');
    compactHeap(); // a file may have any length, and the import mostly waits for Redis
    const { runEnqueue } = await import('../producer/main.js');
    const { hubspotOptions } = await import('../labels/open-labels.js');
    const strict = given.flag('strict');
    return runEnqueue({ ...config, hubspot: hubspotOptions(config) }, { file, strict, ...options });
  },
};
