/** `association-queue failures list | retry | export | discard`: one specification for each verb, with common filters. */
import type { Grouping } from '../dashboard/failures/failure-groups.js';
import type { FailureVerb } from '../dashboard/main.js';
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

/** The same as in src/dashboard, whose modules are loaded only when needed. */
const GROUPINGS: readonly string[] = ['category', 'message', 'objectPair'] satisfies Grouping[];

const FAILURE_FILTERS = [
  ['--category <category>', 'only this error, as list shows it, such as OBJECT_NOT_FOUND'],
  ['--from <type>', 'only associations from this object type, such as contacts'],
  ['--to <type>', 'only associations to this object type, such as companies'],
  ['--request <id>', 'only associations of this request; the beginning of its id is enough'],
  ['--source <text>', 'only associations that were enqueued with this --source'],
] as const;

const failures = (verb: FailureVerb, spec: Omit<CommandSpec, 'usage' | 'run'>): CommandSpec => ({
  ...spec,
  usage: verb,
  flags: [...FAILURE_FILTERS, ...spec.flags],
  run: async given => {
    const filter = given.texts('category', 'from', 'to', 'request', 'source');
    const options = { ...filter, json: given.flag('json'), yes: given.flag('yes') };
    if (verb === 'discard' && !options.yes && !process.stdin.isTTY)
      given.problem('discard asks before it removes anything, and nobody can answer here: add --yes');
    const groupBy = given.texts('groupBy').groupBy;
    if (groupBy !== undefined && !GROUPINGS.includes(groupBy))
      given.problem(`--group-by "${groupBy}" is not one of ${GROUPINGS.join(', ')}`);
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runFailures } = await import('../dashboard/main.js');
    return runFailures(config, verb, { ...options, ...(groupBy && { groupBy: groupBy as Grouping }) });
  },
});

export const FAILURES: readonly CommandSpec[] = [
  failures('list', {
    summary: 'Lists rejected associations, grouped by error and object pair.',
    flags: [
      ['--group-by <what>', `a row for each ${GROUPINGS.join(', ')}; without it, for all three together`],
      ['--json', 'as JSON, for programs'],
    ],
    example: `${PROGRAM} failures list --from contacts\n${PROGRAM} failures list --group-by category`,
  }),
  failures('retry', {
    summary:
      'Puts rejected associations back to be tried again. A job goes back as a whole: its associations with other errors come along.',
    flags: [],
    example: `${PROGRAM} failures retry --category OBJECT_NOT_FOUND`,
  }),
  failures('export', {
    summary:
      'Writes rejected associations to stdout as NDJSON that enqueue accepts, each with its error. They stay in the list until they are discarded or created by a retry.',
    flags: [],
    example: `${PROGRAM} failures export --category VALIDATION_ERROR > rejected.ndjson\n${PROGRAM} enqueue rejected.ndjson`,
  }),
  failures('discard', {
    summary:
      'Removes rejected associations for good, only those that match. They stay counted as rejected. Asks first.',
    flags: [['--yes', 'do not ask']],
    example: `${PROGRAM} failures discard --category OBJECT_NOT_FOUND --yes`,
  }),
];
