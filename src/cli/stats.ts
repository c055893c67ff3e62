/** `association-queue stats`: one snapshot, or one a second with --watch. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

export const STATS: CommandSpec = {
  usage: 'stats',
  summary: 'Shows one snapshot of the queue: totals since it was created, all replicas together.',
  flags: [
    ['--json', 'as JSON, for programs'],
    ['--watch', 'on the whole screen, every second until Ctrl-C; in a pipe, a line each'],
  ],
  example: `${PROGRAM} stats --watch\n${PROGRAM} stats --json | jq .associations`,
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { runStats } = await import('../dashboard/main.js');
    await runStats(config, { json: given.flag('json'), watch: given.flag('watch') });
    return 0;
  },
};
