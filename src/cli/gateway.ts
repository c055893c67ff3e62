/** `association-queue gateway`: HTTP intake, until SIGTERM. */
import { PROGRAM } from './command.js';
import { serviceCommand } from './service.js';

export const GATEWAY = serviceCommand({
  usage: 'gateway',
  summary:
    "Takes associations over HTTP: HubSpot's own batch/create call with any number of inputs, answered as soon as they are safe in the queue. SIGTERM or SIGINT: answers what it accepted and ends.",
  example: `GATEWAY_PORT=3000 ${PROGRAM} gateway\ncurl http://127.0.0.1:3000/docs`,
  needs: { gateway: true },
  start: async config => (await import('../gateway/main.js')).runGateway(config),
});
