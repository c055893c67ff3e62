/** `association-queue worker`: one replica, until SIGTERM. */
import { PROGRAM } from './command.js';
import { serviceCommand } from './service.js';

export const WORKER = serviceCommand({
  usage: 'worker',
  summary:
    'Runs one worker replica. HUBSPOT_ACCESS_TOKEN and the other settings (association-queue settings lists them) come from the environment. SIGTERM or SIGINT: calls in flight may end, the rest goes back to the queue.',
  example: `HUBSPOT_ACCESS_TOKEN_FILE=/run/secrets/hubspot ${PROGRAM} worker`,
  needs: { token: true },
  start: async config => (await import('../worker/main.js')).runWorker(config),
});
