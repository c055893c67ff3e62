/** `association-queue requests cancel`: one specification for each verb. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

const CANCEL: CommandSpec = {
  usage: 'cancel ID',
  summary:
    'Takes back what is still queued of a request. Associations that are created, rejected or in a call to HubSpot stay.',
  flags: [
    ['--list <file>', 'add each association that is taken back to this file, as NDJSON that enqueue accepts'],
  ],
  example: `${PROGRAM} requests cancel 0b5cbd0e-6f3a-4c0e-9d0a-3f1f4c7b8a11 --list cancelled.ndjson`,
  notes:
    'If the command is interrupted or killed, the workers go on, and so does the same command. Exits 1 if something is left.',
  run: async given => {
    const [id = ''] = given.operands;
    const { list } = given.texts('list');
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runCancel } = await import('../dashboard/requests/cancel-command.js');
    return runCancel(config, { id, list });
  },
};

export const REQUESTS: readonly CommandSpec[] = [CANCEL];
