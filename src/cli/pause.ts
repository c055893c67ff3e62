/** `association-queue pause`: no worker takes a new job until `resume`. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

export const PAUSE: CommandSpec = {
  usage: 'pause',
  summary: 'Pauses the queue: workers finish what they have in hand and take no new jobs.',
  flags: [['--reason <text>', 'why, for everybody who looks at stats or the dashboard']],
  example: `${PROGRAM} pause --reason "HubSpot maintenance until 15:00"`,
  notes: `The queue stays paused until somebody resumes it: ${PROGRAM} resume`,
  run: async given => {
    const { reason } = given.texts('reason');
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runPause } = await import('../dashboard/main.js');
    return runPause(config, reason);
  },
};
