/** `association-queue gateway`: HTTP intake, until SIGTERM. */
import { type CommandSpec, PROGRAM } from './command.js';

export const GATEWAY: CommandSpec = {
  usage: 'gateway',
  summary:
    "Takes associations over HTTP: HubSpot's own batch/create call with any number of inputs, answered as soon as they are safe in the queue. SIGTERM or SIGINT: answers what it accepted and ends.",
  flags: [],
  example: `GATEWAY_PORT=3000 ${PROGRAM} gateway\ncurl http://127.0.0.1:3000/docs`,
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, { gateway: true }));
    const { runGateway } = await import('../gateway/main.js');
    await runGateway(config);
    process.exit(0);
  },
};
