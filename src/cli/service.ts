/** The commands that run until SIGTERM: worker, gateway, dashboard. What they share: reading the configuration, and checking it. */
import type { Config, parseConfig } from '../shared/runtime/config.js';
import { type CommandSpec, warnOf } from './command.js';

type ServiceSpec = Omit<CommandSpec, 'flags' | 'run'> & {
  /** what the service needs of the configuration beyond what every command needs */
  needs: Parameters<typeof parseConfig>[1];
  /** loads the service and runs it until a signal ends it */
  start: (config: Config) => Promise<void>;
};

export const serviceCommand = ({ needs, start, ...spec }: ServiceSpec): CommandSpec => ({
  ...spec,
  flags: [
    [
      '--check-config',
      'only check the settings, as the start does: exit 0 if they are valid, 2 with every problem otherwise; connects to nothing',
    ],
  ],
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env, needs));
    if (given.flag('checkConfig')) {
      warnOf(config);
      process.stdout.write('configuration is valid\n');
      return 0;
    }
    await start(config);
    // everything has stopped, but BullMQ's connections would keep trying to reach an unreachable Redis
    process.exit(0);
  },
});
