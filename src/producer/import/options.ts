/** The options of `enqueue`, and what is wrong with them, in the words of the command line. Pure; it loads nothing heavy. */
import {
  type Association,
  type AssociationType,
  associationFaults,
  parseType,
} from '../../shared/contract/association.js';
import { messageOf } from '../../shared/contract/errors.js';
import { type Priority, priorityProblem } from '../../shared/contract/keys.js';
import { textProblem } from '../text-problem.js';
import type { LineDefaults } from './line.js';

export type EnqueueOptions = {
  /** path of a .csv, .ndjson or .jsonl file; `-` reads NDJSON from standard input */
  file: string;
  from?: string;
  to?: string;
  type?: string[];
  label?: string;
  strict?: boolean;
  source?: string;
  priority?: string;
};

type ReadOptions = { defaults: LineDefaults; priority: Priority; problems: string[] };

export function readOptions(options: Omit<EnqueueOptions, 'file' | 'strict'>): ReadOptions {
  const { from, to, label, source, type: texts = [], priority = 'normal' } = options;
  const { types, problems } = readTypes(texts);
  const faults = associationFaults({
    // all other fields are valid, so every fault belongs to an option
    ...{ from: 1, to: 1, fromObjectType: from ?? 'a', toObjectType: to ?? 'b', label },
    ...(types.length > 0 && { types }),
  } as Association).map(fault =>
    fault
      .replace(/^(from|to)ObjectType:/, '--$1')
      .replace(/^label:/, '--label')
      .replace(/^types:/, '--type'),
  );
  const others = [
    source === undefined ? undefined : textProblem('source', source),
    priorityProblem(priority),
  ];
  return {
    defaults: {
      ...(from !== undefined && { fromObjectType: from }),
      ...(to !== undefined && { toObjectType: to }),
      ...(texts.length > 0 && { types }),
      ...(label !== undefined && { label }),
    },
    priority: priority as Priority,
    problems: [...faults, ...problems, ...others.flatMap(problem => (problem ? `--${problem}` : []))],
  };
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
