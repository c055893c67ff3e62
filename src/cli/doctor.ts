/** `association-queue doctor`: checks the whole installation, and changes nothing. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

export const DOCTOR: CommandSpec = {
  usage: 'doctor',
  summary:
    'Checks Redis, the access token, limits, workers, waiting jobs and webhooks, and says what to do about each fault. Changes nothing in Redis and at HubSpot, posts no event, and shows no secret.',
  flags: [['--json', 'as JSON, for programs']],
  example: `${PROGRAM} doctor\n${PROGRAM} doctor --json | jq '.findings[] | select(.status != "ok")'`,
  notes:
    'Exits 0 if there is no fault (there may be warnings), 1 if there is a fault, 2 if the settings cannot be read.\nTakes at most 20 seconds. It makes three calls to HubSpot, none of them to the association endpoints.',
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runDoctor } = await import('../doctor/main.js');
    return runDoctor(config, process.env, given.flag('json'));
  },
};
