/** `association-queue resume`: ends a pause, whoever made it. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

export const RESUME: CommandSpec = {
  usage: 'resume',
  summary: 'Resumes the paused queue, whoever paused it.',
  flags: [],
  example: `${PROGRAM} resume`,
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runResume } = await import('../dashboard/main.js');
    return runResume(config);
  },
};
