/** `association-queue settings`: the list of settings, for whoever has the package and not its documentation. */
import { type CommandSpec, PROGRAM } from './command.js';

export const SETTINGS_LIST: CommandSpec = {
  usage: 'settings',
  summary:
    'Lists all settings: name, default, unit, meaning. Settings are variables of the environment; their values are not shown.',
  flags: [['--env', 'as a file for --env-file: lines NAME=value, commented out where there is a default']],
  example: `${PROGRAM} settings\n${PROGRAM} settings --env > settings.env`,
  run: async given => {
    given.settle(() => undefined);
    const { envFileText, settingsText } = await import('./settings-text.js');
    const text = given.flag('env') ? envFileText() : settingsText(process.stdout.columns);
    process.stdout.write(`${text}\n`);
    return 0;
  },
};
