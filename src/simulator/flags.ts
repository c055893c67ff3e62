/** The command line of the simulator: a declarative list that is parsed in one go. Not here: commander (src/cli.ts). */
import { ConfigError } from '../shared/contract/errors.js';
import { checkOptions, DEFAULT_OPTIONS, type SimulatorOptions } from './options.js';

export const DEFAULT_PORT = 8787;

type Kind = 'integer' | 'text' | 'list';
type Flag = {
  readonly flag: string;
  readonly option: keyof SimulatorOptions;
  readonly kind: Kind;
  readonly description: string;
  readonly default: string;
};

const flag = (
  text: string,
  option: keyof SimulatorOptions,
  kind: Kind,
  description: string,
  value: unknown = DEFAULT_OPTIONS[option],
): Flag => ({ flag: text, option, kind, description, default: String(value) });

export const SIMULATOR_FLAGS: readonly Flag[] = [
  flag('--port <n>', 'port', 'integer', 'port; 0 = a free one', DEFAULT_PORT),
  flag('--host <address>', 'host', 'text', 'address to listen on'),
  flag('--latency-ms <n>', 'latencyMs', 'integer', 'delay of every answer'),
  flag('--rate-limit-calls <n>', 'rateLimitCalls', 'integer', 'calls per rolling window; 0 = no limit'),
  flag('--rate-limit-window-ms <n>', 'rateLimitWindowMs', 'integer', 'length of the rolling window'),
  flag('--daily-call-limit <n>', 'dailyCallLimit', 'integer', 'calls per day; 0 = no limit'),
  flag('--timezone <name>', 'timezone', 'text', 'time zone of the account, in which its day ends'),
  flag(
    '--refusal <mode>',
    'refusal',
    'text',
    'answer to a bad input: partial (207), whole (400) or whole-unnamed (400)',
  ),
  flag('--access-token <token>', 'accessToken', 'text', 'the accepted token; empty = any'),
  flag('--missing <ids>', 'missing', 'list', 'record ids that do not exist, separated by commas'),
  flag(
    '--custom-type-ids <ids>',
    'customTypeIds',
    'list',
    'custom type ids that exist; empty = all below 1000',
  ),
  flag('--seed <n>', 'seed', 'integer', 'seed of all random choices'),
];

/**
 * Reads options by their camel-case names, as commander passes them. Absent options have their defaults.
 * @throws ConfigError with every problem
 */
export function parseSimulatorFlags(given: Readonly<Record<string, unknown>>): Partial<SimulatorOptions> {
  const problems: string[] = [];
  const options: Record<string, unknown> = {};
  for (const { flag, option, kind, default: fallback } of SIMULATOR_FLAGS) {
    const name = flag.split(' ')[0] ?? flag;
    try {
      options[option] = readValue(kind, option, String(given[option] ?? fallback).trim());
      checkOptions({ [option]: options[option] });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems.map(problem => `${name} ${problem.replace(/^\/\S+ /, '')}`));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return options as Partial<SimulatorOptions>;
}

function readValue(kind: Kind, option: keyof SimulatorOptions, text: string): unknown {
  switch (kind) {
    case 'text':
      return text;
    case 'list': {
      const items = text.split(',').filter(item => item !== '');
      return option === 'customTypeIds' ? items.map(integer) : items;
    }
    case 'integer':
      return integer(text);
  }
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new ConfigError([`"${text}" is not an integer from 0`]);
  return Number(text);
}
