/**
 * One command of the command line: its options, and the values of one call.
 * commander parses and writes the help. It would stop at the first problem, so this file finds all problems itself.
 */
import { type Command, Option } from 'commander';
import { didYouMean, meant } from '../shared/contract/did-you-mean.js';
import { ConfigError } from '../shared/contract/errors.js';
import { addEnvFiles } from './env-file.js';

export const PROGRAM = 'association-queue';
/** Longest time that an option may give: no longer than Node's longest timer, 24 days. */
export const MOST_SECONDS = 2_000_000;

export type CommandSpec = {
  /** name and operands: `enqueue FILE` */
  usage: string;
  /** the list of commands shows its first sentence */
  summary: string;
  /** `--name`, or `--name <value>`, which may be given several times */
  flags: readonly (readonly [flags: string, description: string])[];
  example: string;
  /** below the example in the help */
  notes?: string;
  /** @returns the exit code */
  run: (given: Given) => Promise<number>;
};

export function addCommand(
  parent: Command,
  { usage, summary, flags, example, notes, run }: CommandSpec,
): void {
  const [name = '', ...operands] = usage.split(' ');
  const command = parent
    .command(name)
    .description(summary)
    .summary(summary.match(/^[^.:]*/)?.[0] ?? summary)
    .usage([...operands, '[options]'].join(' '))
    .allowUnknownOption() // Given reports both
    .allowExcessArguments()
    .addHelpText('after', `\nExample:\n${example.replace(/^/gm, '  ')}${notes ? `\n\n${notes}` : ''}`);
  for (const [text, description] of flags) {
    // To commander every value is optional, so that a missing one does not stop it.
    const option = new Option(text.replace(/<(.+)>/, '[$1]'), description);
    command.addOption(gathering(option));
  }
  command.action(async () => {
    process.exitCode = await run(new Given(command, operands));
  });
}

/** A tab is a delimiter, and no blank. */
const isBlank = (value: unknown): boolean => /^ *$/.test(String(value));

/** @returns the option; its value is the list of all values that were given */
export const gathering = (option: Option): Option =>
  option.optional
    ? option.argParser((value, before: unknown) => [...(Array.isArray(before) ? before : []), value])
    : option;

/** For commander's configureHelp: the help shows values as required. */
export const optionTerm = ({ flags }: Option): string => flags.replace(/\[(.+)\]/, '<$1>');

/** The options and operands of one call. Problems are gathered until the configuration has added its own. */
export class Given {
  readonly operands: readonly string[];
  readonly #command: Command;
  readonly #problems: string[] = [];

  constructor(command: Command, operandNames: readonly string[]) {
    this.#command = command;
    // commander puts unknown options after the operands; the word after one may be its value
    const isOption = (arg: string) => /^-./.test(arg);
    const firstUnknown = command.args.findIndex(isOption);
    const unknown = firstUnknown < 0 ? [] : command.args.slice(firstUnknown);
    this.operands = command.args.slice(0, command.args.length - unknown.length);
    this.operands.forEach((operand, at) => {
      if (isBlank(operand)) this.problem(`${operandNames[at] ?? 'an argument'} is blank`);
    });
    for (const option of unknown.filter(isOption)) this.problem(this.#unknownOption(option));
    for (const operand of this.operands.slice(operandNames.length))
      this.problem(`unexpected argument "${operand}"`);
    if (unknown.every(isOption))
      for (const name of operandNames.slice(this.operands.length)) this.problem(`${name} is missing`);
    for (const option of command.options.filter(({ optional }) => optional)) {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (value === true) this.problem(`${option.long} needs a value`);
      // mostly a variable that is not set: it must not mean "all", or the default
      else if (Array.isArray(value) && value.some(isBlank)) this.problem(`${option.long} is blank`);
    }
    const { envFile } = command.optsWithGlobals<{ envFile?: true | string[] }>();
    if (envFile === true) this.problem('--env-file needs a value');
    else if (envFile?.some(isBlank)) this.problem('--env-file is blank');
    else this.problem(...addEnvFiles(envFile ?? [], process.env));
  }

  problem(...problems: readonly string[]): void {
    this.#problems.push(...problems);
  }

  /** @returns true if `--name` was given */
  flag(name: string): boolean {
    return this.#command.getOptionValue(name) === true;
  }

  /** @returns all values of `--name`; blank ones, which are a problem, are omitted */
  list(name: string): string[] {
    const values: unknown = this.#command.getOptionValue(name);
    return Array.isArray(values) ? values.map(String).filter(value => !isBlank(value)) : [];
  }

  /** @returns the values of these options; absent ones are omitted, and the last of several counts */
  texts<Name extends string>(...names: readonly Name[]): Partial<Record<Name, string>> {
    const texts: Partial<Record<Name, string>> = {};
    for (const name of names) {
      const text = this.list(name).at(-1);
      if (text !== undefined) texts[name] = text;
    }
    return texts;
  }

  /** @returns the last value of `--name`; undefined if it is absent, or not such an integer, which is a problem */
  integer(name: string, least: number, most: number): number | undefined {
    const text = this.texts(name)[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    this.problem(`--${name} "${text}" is not an integer from ${least} to ${most}`);
    return undefined;
  }

  /**
   * Parses the rest, usually the configuration, and stops collecting problems.
   * @throws ConfigError with all problems
   */
  settle<T>(parse: () => T): T {
    try {
      const parsed = parse();
      if (this.#problems.length === 0) return parsed;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.problem(...error.problems);
    }
    throw new ConfigError(this.#problems);
  }

  #unknownOption(arg: string): string {
    const name = arg.split('=')[0] ?? arg;
    const known = ['--help', '--env-file', ...this.#command.options.flatMap(({ long }) => long ?? [])];
    if (known.includes(name)) return `${name} takes no value`;
    return `unknown option ${name}${didYouMean(meant(name, known))}`;
  }
}

/** Prints warnings to stderr; services log them instead. */
export function warnOf({ warnings }: { readonly warnings: readonly string[] }): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
}
