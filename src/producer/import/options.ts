/** The options of `enqueue`, and what is wrong with them, in the words of the command line. Pure; it loads nothing heavy. */
import {
  type Association,
  type AssociationType,
  associationFaults,
  parseType,
  typeText,
} from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { type Priority, priorityProblem } from '../../shared/contract/keys.js';
import { objectTypeFault } from '../../shared/contract/object-types.js';
import { quote } from '../../shared/contract/record-id.js';
import { shellWord } from '../../shared/runtime/text.js';
import { textProblem } from '../text-problem.js';
import { encodingProblem } from './encoding.js';
import type { LineDefaults, Reading } from './line.js';
import { FORMATS, type Format } from './source.js';

export type EnqueueOptions = {
  /** path of the file; `-` reads standard input */
  file: string;
  /** csv or ndjson; without it the name of the file says it, and standard input is NDJSON */
  format?: string;
  from?: string;
  to?: string;
  type?: string[];
  label?: string;
  fromColumn?: string;
  toColumn?: string;
  typeColumn?: string;
  labelColumn?: string;
  ignoreColumn?: string[];
  delimiter?: string;
  encoding?: string;
  fixIds?: boolean;
  anyObjectType?: boolean;
  /** file for all refused lines */
  refused?: string;
  dryRun?: boolean;
  strict?: boolean;
  source?: string;
  priority?: string;
  /** name of the request; default: the name of the file */
  name?: string;
  /** enqueue a file that was enqueued before */
  again?: boolean;
  /** id of an interrupted request of the same file */
  resume?: string;
};

type ReadOptions = {
  reading: Reading;
  /** undefined: the name of the file says it */
  format: Format | undefined;
  priority: Priority;
  problems: string[];
};
/** Options that say something about a CSV file. */
const CSV_ONLY = [
  'delimiter',
  'fromColumn',
  'toColumn',
  'typeColumn',
  'labelColumn',
  'ignoreColumn',
] as const;

export function readOptions(options: Omit<EnqueueOptions, 'file'>): ReadOptions {
  const { source, priority = 'normal', name, resume } = options;
  const { defaults, problems } = readDefaults(options);
  const delimiter = options.delimiter === undefined ? undefined : readDelimiter(options.delimiter);
  const others = [
    source === undefined ? undefined : textProblem('source', source),
    priorityProblem(priority),
    name === undefined ? undefined : textProblem('name', name),
    ...(resume === undefined ? [] : resumeProblems(options)),
  ].flatMap(problem => (problem ? `--${problem}` : []));
  const reading: Reading = {
    defaults,
    ...(options.encoding !== undefined && { encoding: options.encoding }),
    ...(delimiter && 'delimiter' in delimiter && delimiter),
    ...columnsOf(options),
    ...(options.ignoreColumn && { ignored: options.ignoreColumn }),
    ...(options.fixIds && { fixIds: true }),
    ...(options.anyObjectType && { anyObjectType: true }),
  };
  if (delimiter && 'problem' in delimiter) problems.push(`--delimiter ${delimiter.problem}`);
  const encoding = options.encoding === undefined ? undefined : encodingProblem(options.encoding);
  if (encoding !== undefined) problems.push(`--encoding ${encoding}`);
  const format = FORMATS.find(name => name === options.format);
  if (options.format !== undefined && !format)
    problems.push(`--format ${quote(options.format)} is not one of ${FORMATS.join(', ')}`);
  return { reading, format, priority: priority as Priority, problems: [...problems, ...others] };
}

/** @returns the problems of --resume, without the first dashes: options that would be ignored are refused */
function resumeProblems(options: Omit<EnqueueOptions, 'file'>): string[] {
  const { again = false, dryRun = false } = options;
  const had = (['name', 'source', 'priority'] as const).filter(name => options[name] !== undefined);
  return [
    ...(again ? ['resume and --again exclude each other'] : []),
    ...(dryRun ? ['dry-run tells nothing of what a --resume would do: leave one of them out'] : []),
    ...had.map(name => `${name} cannot change with --resume: leave it out, the request has its own`),
  ];
}

/** @returns a problem for each option that says nothing about a file of this format */
export function formatProblems(options: Omit<EnqueueOptions, 'file'>, format: Format): string[] {
  if (format === 'csv') return [];
  const given = CSV_ONLY.filter(name => options[name] !== undefined);
  return given.map(
    name => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)} is for CSV only`,
  );
}

function columnsOf({
  fromColumn,
  toColumn,
  typeColumn,
  labelColumn,
}: Omit<EnqueueOptions, 'file'>): Pick<Reading, 'columns'> {
  const columns = {
    ...(fromColumn !== undefined && { from: fromColumn }),
    ...(toColumn !== undefined && { to: toColumn }),
    ...(typeColumn !== undefined && { type: typeColumn }),
    ...(labelColumn !== undefined && { label: labelColumn }),
  };
  return Object.keys(columns).length > 0 ? { columns } : {};
}

function readDefaults({
  from,
  to,
  label,
  type: texts = [],
  anyObjectType = false,
}: Omit<EnqueueOptions, 'file'>): { defaults: LineDefaults; problems: string[] } {
  const { types, problems } = readTypes(texts);
  const faults = associationFaults({
    // all other fields are valid, so every fault belongs to an option
    ...{ from: 1, to: 1, fromObjectType: from ?? 'a', toObjectType: to ?? 'b', label },
    ...(types.length > 0 && { types }),
  } as Association);
  for (const [field, name] of [
    ['fromObjectType', from],
    ['toObjectType', to],
  ] as const) {
    const isWellFormed = !faults.some(fault => fault.startsWith(field));
    const fault = name === undefined || anyObjectType ? undefined : objectTypeFault(name);
    if (fault !== undefined && isWellFormed) faults.push(`${field}: ${fault}`);
  }
  const words = faults.map(fault =>
    fault
      .replace(/^(from|to)ObjectType:/, '--$1')
      .replace(/^label:/, '--label')
      .replace(/^types:/, '--type'),
  );
  const defaults = {
    ...(from !== undefined && { fromObjectType: from }),
    ...(to !== undefined && { toObjectType: to }),
    ...(texts.length > 0 && { types }),
    ...(label !== undefined && { label }),
  };
  return { defaults, problems: [...words, ...problems] };
}

function readTypes(texts: readonly string[]): { types: AssociationType[]; problems: string[] } {
  const types: AssociationType[] = [];
  const problems: string[] = [];
  for (const text of texts) {
    try {
      types.push(parseType(text));
    } catch (error) {
      problems.push(`--type ${messageOf(error)}`);
    }
  }
  return { types, problems };
}

/** Words for characters that are hard to type. */
const DELIMITERS: Readonly<Record<string, string>> = { tab: '\t', '\\t': '\t' };

function readDelimiter(text: string): { delimiter: string } | { problem: string } {
  const delimiter = DELIMITERS[text.toLowerCase()] ?? text;
  if (delimiter.length === 1 && !/[\w"\r\n ]/.test(delimiter)) return { delimiter };
  return { problem: `${quote(text)} is not one character (such as ; or tab)` };
}

/** Pure. @returns the options under which a file was read, as a person types them */
export function optionsText(reading: Reading, priority?: string): string {
  const { defaults, encoding, delimiter, columns = {}, ignored = [], fixIds, anyObjectType } = reading;
  const types = defaults.types ?? [];
  const given: [name: string, value: string | undefined][] = [
    ['from', defaults.fromObjectType],
    ['to', defaults.toObjectType],
    ...types.map((type): [string, string] => ['type', typeText(type)]),
    ['label', defaults.label],
    ['from-column', columns.from],
    ['to-column', columns.to],
    ['type-column', columns.type],
    ['label-column', columns.label],
    ...ignored.map((name): [string, string] => ['ignore-column', name]),
    ['delimiter', delimiter === '\t' ? 'tab' : delimiter],
    ['encoding', encoding],
    ['priority', priority === 'normal' ? undefined : priority],
  ];
  const texts = given.flatMap(([name, value]) =>
    value === undefined ? [] : `--${name} ${shellWord(value)}`,
  );
  return [...texts, ...(fixIds ? ['--fix-ids'] : []), ...(anyObjectType ? ['--any-object-type'] : [])].join(
    ' ',
  );
}
