/** `association-queue worker`: one replica, until SIGTERM. */
import { type CommandSpec, PROGRAM } from './command.js';

export const WORKER: CommandSpec = {
  usage: 'worker',
  summary:
    'Runs one worker replica. HUBSPOT_ACCESS_TOKEN and the other settings (association-queue settings lists them) come from the environment. SIGTERM or SIGINT: calls in flight may end, the rest goes back to the queue.',
  flags: [],
  example: `HUBSPOT_ACCESS_TOKEN_FILE=/run/secrets/hubspot ${PROGRAM} worker`,
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, { token: true }));
    const { runWorker } = await import('../worker/main.js');
    await runWorker(config);
    // everything has stopped, but BullMQ's connections would keep trying to reach an unreachable Redis
    process.exit(0);
  },
};
