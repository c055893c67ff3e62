// Makes docs/reference/cli.md from the help of the commands: usage, options, example and notes of each.
import { createProgram } from '../dist/cli/program.js';

const WIDTH = 100;

/** Markdown, without a newline at the end. */
export async function cliCommands() {
  const program = await createProgram(true);
  const help = program.createHelp();
  const commands = program.commands.flatMap(command =>
    command.commands.length > 0 ? command.commands : [command],
  );
  return commands.map(command => section(command, help)).join('\n\n');
}

function section(command, help) {
  const { example, notes } = afterHelp(command);
  const usage = help.commandUsage(command).replace(' [options]', '');
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const rows = options.map(option => `| \`${help.optionTerm(option)}\` | ${cell(option.description)} |`);
  const table = rows.length > 0 ? ['| option | |', '|---|---|', ...rows].join('\n') : undefined;
  const sample = ['```sh', example, '```'].join('\n');
  return [`## ${usage}`, command.description(), table, sample, prose(notes)].filter(Boolean).join('\n\n');
}

/** What addHelpText put below the options: `Example:` and, after a blank line, notes. */
function afterHelp(command) {
  let text = '';
  command.configureOutput({ writeOut: part => (text += part), getOutHelpWidth: () => WIDTH }).outputHelp();
  const [example = '', ...notes] = (text.split('\nExample:\n')[1] ?? '').trimEnd().split('\n\n');
  return { example: example.replace(/^ {2}/gm, ''), notes: notes.join('\n\n') };
}

/** A list that is aligned with blanks stays as it is. */
const prose = text =>
  /^ {2}/m.test(text) ? ['```text', text, '```'].join('\n') : text.replaceAll('\n', ' ');

const cell = text => text.replaceAll('|', '\\|');
