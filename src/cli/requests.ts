/** `association-queue requests list | show | wait | export | retry | cancel`: one specification for each verb. */
import { didYouMean, meant } from '../shared/contract/did-you-mean.js';
import { REQUEST_STATES, type RequestState } from '../shared/state/requests.js';
import { type CommandSpec, type Given, MOST_SECONDS, PROGRAM, warnOf } from './command.js';

const ID = '0b5cbd0e-6f3a-4c0e-9d0a-3f1f4c7b8a11';
const EXIT_CODES =
  'Exits 0 when all is created, 1 when some is rejected or cancelled, 3 when it is not over:';
const WHICH = 'ID may be the beginning of an id that requests list shows.';
const MOST_LISTED = 1_000;

const LIST: CommandSpec = {
  usage: 'list',
  summary: 'Lists requests, the newest first: those with a name and those with more than one job.',
  flags: [
    ['--state <state>', `only requests in this state: ${REQUEST_STATES.join(', ')}`],
    ['--limit <n>', `how many, at most ${MOST_LISTED} (default 50)`],
    ['--after <id>', 'only requests that are older than this one'],
    ['--json', 'as JSON, for programs'],
  ],
  example: `${PROGRAM} requests list --state open`,
  run: async given => {
    const { state, after } = given.texts('state', 'after');
    const limit = given.integer('limit', 1, MOST_LISTED);
    checkState(given, state);
    const config = await configOf(given);
    const { runList } = await import('../dashboard/requests/request-commands.js');
    const query = {
      ...(state !== undefined && { state: state as RequestState }),
      ...(after !== undefined && { after }),
      ...(limit !== undefined && { limit }),
    };
    return runList(config, query, given.flag('json'));
  },
};

const SHOW: CommandSpec = {
  usage: 'show ID',
  summary: 'Shows one request: how far it is, what was rejected and why, and what to do next.',
  flags: [['--json', 'as JSON, for programs']],
  example: `${PROGRAM} requests show ${ID}\n${PROGRAM} requests show ${ID} --json | jq .state`,
  notes: WHICH,
  run: async given => {
    const [id = ''] = given.operands;
    const config = await configOf(given);
    const { runShow } = await import('../dashboard/requests/request-commands.js');
    return runShow(config, id, given.flag('json'));
  },
};

const WAIT: CommandSpec = {
  usage: 'wait ID',
  summary: 'Waits until everything of a request is created, rejected or cancelled, and shows how far it is.',
  flags: [
    ['--timeout <seconds>', 'wait no longer than this'],
    ['--json', 'print the request as show --json does, instead of a line'],
  ],
  example: `${PROGRAM} requests wait ${ID} --timeout 3600 || ${PROGRAM} requests show ${ID}`,
  notes: `${EXIT_CODES} the time\nis up, the wait or the enqueueing was interrupted, or Redis cannot be used.\nThe request goes on without the wait. ${WHICH}`,
  run: async given => {
    const [id = ''] = given.operands;
    const timeout = given.integer('timeout', 0, MOST_SECONDS);
    const config = await configOf(given);
    const { runWait } = await import('../dashboard/requests/wait-command.js');
    return runWait(config, { given: id, timeout, json: given.flag('json') });
  },
};

const CANCEL: CommandSpec = {
  usage: 'cancel ID',
  summary:
    'Takes back what is still queued of a request. Associations that are created, rejected or in a call to HubSpot stay.',
  flags: [
    [
      '--list <file>',
      'add each association that is taken back to this file, as NDJSON that enqueue accepts (.ndjson)',
    ],
  ],
  example: `${PROGRAM} requests cancel ${ID} --list cancelled.ndjson`,
  notes: `If the command is interrupted or killed, the workers go on, and so does the same command.\nThe list is complete whoever takes something back: what is in no list yet waits for the same command.\nExits 1 if something is left, also in no list. ${WHICH}`,
  run: async given => {
    const [id = ''] = given.operands;
    const { list } = given.texts('list');
    const config = await configOf(given);
    const { runCancel } = await import('../dashboard/requests/cancel-command.js');
    return runCancel(config, { id, list });
  },
};

const EXPORT: CommandSpec = {
  usage: 'export ID',
  summary:
    'Writes the rejected lines of a request to stdout, in a form that enqueue reads: with the columns of its file, the line number and the reason.',
  flags: [['--file <path>', 'where the file of the request is now, if it was moved']],
  example: `${PROGRAM} requests export ${ID} > rejected.csv`,
  notes: `Of a request without a file (library, gateway, standard input): ids with their reasons, as NDJSON.\n${WHICH}`,
  run: async given => {
    const [id = ''] = given.operands;
    const { file } = given.texts('file');
    const config = await configOf(given);
    const { openOriginal } = await import('../producer/import/original-file.js');
    const { runExport } = await import('../dashboard/requests/export-command.js');
    return runExport(config, { given: id, path: file, openOriginal });
  },
};

const RETRY: CommandSpec = {
  usage: 'retry ID',
  summary:
    'Puts what was rejected of a request back to be tried again. (failures retry --request chooses among it.)',
  flags: [],
  example: `${PROGRAM} requests retry ${ID}\n${PROGRAM} failures retry --request ${ID} --category OBJECT_NOT_FOUND`,
  notes: WHICH,
  run: async given => {
    const [id = ''] = given.operands;
    const config = await configOf(given);
    const { runRetry } = await import('../dashboard/requests/request-commands.js');
    return runRetry(config, id);
  },
};

export const REQUESTS: readonly CommandSpec[] = [LIST, SHOW, WAIT, EXPORT, RETRY, CANCEL];

/** Reports the problems of this call and of the settings together. @throws ConfigError with all of them */
async function configOf(given: Given) {
  const { parseConfig } = await import('../shared/runtime/config.js');
  const config = given.settle(() => parseConfig(process.env));
  warnOf(config);
  return config;
}

function checkState(given: Given, state: string | undefined): void {
  if (state === undefined || (REQUEST_STATES as readonly string[]).includes(state)) return;
  const known = REQUEST_STATES.join(', ');
  given.problem(`--state "${state}" is not one of ${known}${didYouMean(meant(state, REQUEST_STATES))}`);
}
