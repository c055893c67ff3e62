/**
 * The list of settings as `association-queue settings` prints it, and as a file for --env-file (.env.example is made of it,
 * too). It shows names, defaults and meanings from the declarative list, and never the value of a variable. Pure.
 */
import { wrap } from '../dashboard/terminal/glyphs.js';
import { SETTINGS, type Setting } from '../shared/runtime/settings.js';
import { PROGRAM } from './command.js';

const ALL: readonly Setting[] = Object.values(SETTINGS);
const INDENT = '    ';
/** Narrower than this, a terminal wraps the lines itself. */
const NARROWEST = 20;

/** @param columns width of the terminal, to which lines are wrapped; undefined without a terminal */
export function settingsText(columns?: number): string {
  const fitted = (text: string, indent = ''): string[] =>
    columns === undefined
      ? [indent + text]
      : wrap(text, Math.max(NARROWEST, columns - indent.length)).map(line => indent + line);
  const entries = ALL.flatMap(setting => [
    ...fitted(`${setting.name}  ${defaultOf(setting)}`),
    ...fitted(plain(setting), INDENT),
    '',
  ]);
  return [
    ...fitted(
      `Settings are variables of the environment; all commands share them. As a file for --env-file: ${PROGRAM} settings --env`,
    ),
    '',
    ...entries,
    ...fitted(
      'OTEL_EXPORTER_OTLP_ENDPOINT and the other standard variables of OpenTelemetry turn on traces.',
    ),
  ].join('\n');
}

function defaultOf(setting: Setting): string {
  if (setting.kind === 'secret') return '(secret, no default)';
  if (setting.kind === 'integer') return `(default ${setting.default}, unit: ${setting.unit})`;
  return setting.default === '' ? '(no default)' : `(default ${setting.default})`;
}

/** All settings as lines NAME=value with their meaning above; those that have a default are commented out. */
export const envEntries = (): string => ALL.map(envEntry).join('\n\n');

/** The output of `association-queue settings --env`, without a newline at the end. */
export const envFileText = (): string =>
  [
    '# Settings of all commands. Settings that are commented out have the value shown.',
    `# Keep what differs in a file, and name it: ${PROGRAM} worker --env-file FILE`,
    '',
    envEntries(),
  ].join('\n');

function envEntry(setting: Setting): string {
  const unit =
    setting.kind === 'integer' && setting.unit !== 'attempts' && setting.default > 0
      ? ` (${setting.unit})`
      : '';
  const doc = `# ${plain(setting)}${unit}`;
  if (setting.kind === 'secret' && setting.optional) return `${doc}\n#${setting.name}=`;
  if (setting.kind === 'secret')
    return `${doc}\n${setting.name}=\n#${setting.name}_FILE=/run/secrets/hubspot`;
  return `${doc}\n#${setting.name}=${setting.default}`;
}

/** The description, whose Markdown is for the page of the documentation. */
const plain = ({ doc }: Setting): string => doc.replaceAll('`', '');
