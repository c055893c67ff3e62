/**
 * Finds the lines of a file whose associations HubSpot rejected, so that they can be repaired with all their columns and
 * enqueued again. It reads the file as the import did (the same `Reading`), asks nobody for labels, and needs memory for
 * the rejected pairs only.
 */
import {
  type Association,
  type AssociationType,
  type ErrorContext,
  typesText,
} from '../../shared/contract/association.js';
import { sameTypeName } from '../../shared/contract/object-types.js';
import { canonicalId } from '../../shared/contract/record-id.js';
import type { FileLayout, Reading } from './line.js';
import { headerText, type LineError, lineText } from './own-format.js';
import { type Chunk, parsedLines } from './read-associations.js';
import type { Source } from './source.js';

/** An association that HubSpot rejected, as its job holds it. */
export type RejectedPair = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly from: string;
  readonly to: string;
  readonly types: readonly AssociationType[];
  readonly error: ErrorContext;
};

/** Rejected pairs by their ids. */
export class RejectedPairs {
  readonly #byIds = new Map<string, RejectedPair[]>();
  readonly #found = new Set<RejectedPair>();

  constructor(pairs: Iterable<RejectedPair>) {
    for (const pair of pairs) {
      const key = keyOf(pair);
      const others = this.#byIds.get(key);
      if (others) others.push(pair);
      else this.#byIds.set(key, [pair]);
    }
  }

  /** @returns the rejection of an association; if the line says its types, of the same types */
  of(association: Association): RejectedPair | undefined {
    const { types, label } = association;
    const pairs = this.#byIds.get(keyOf(association));
    const wanted = label === undefined && types !== undefined ? typesText(types) : undefined;
    const same = pairs?.filter(pair => wanted === undefined || typesText(pair.types) === wanted) ?? [];
    // a pair that stands in several lines is rejected once for each; all of these lines are exported
    for (const pair of same) this.#found.add(pair);
    return same[0];
  }

  /** @returns the pairs that no line has asked for: the file is not the same any more */
  missing(): RejectedPair[] {
    return [...this.#byIds.values()].flat().filter(pair => !this.#found.has(pair));
  }
}

const keyOf = ({ fromObjectType, toObjectType, from, to }: Association): string =>
  `${sameTypeName(fromObjectType)} ${sameTypeName(toObjectType)} ${canonicalId(from)} ${canonicalId(to)}`;

/**
 * Yields the text of a file in the format of the source: its header, and each line with a rejected association, with its
 * number and HubSpot's reason before its own columns. Of a cell with several ids only the rejected ones are left.
 * @throws ConfigError if the source is unusable
 */
export async function* originalLines(
  source: Source,
  reading: Reading,
  rejected: RejectedPairs,
): AsyncGenerator<string> {
  let layout: FileLayout = { format: 'ndjson', isPlain: true };
  let isFirst = true;
  const usable = async (_warnings: readonly string[], found: FileLayout) => {
    layout = found;
  };
  for await (const chunk of parsedLines(source, reading, { usable })) {
    if (isFirst) yield headerText(layout);
    isFirst = false;
    const texts = linesOf(chunk).flatMap(line => {
      const error = lineError(line, rejected);
      return error ? lineText(layout, error) : [];
    });
    if (texts.length > 0) yield texts.join('');
  }
}

/** The associations of one line. */
type Line = { readonly line: number; readonly text: string; readonly associations: Association[] };

function linesOf({ associations, lines, texts }: Chunk): Line[] {
  const found: Line[] = [];
  for (const [index, association] of associations.entries()) {
    const last = found.at(-1);
    const line = lines[index] ?? 0;
    if (last?.line === line) last.associations.push(association);
    else found.push({ line, text: texts[index] ?? '', associations: [association] });
  }
  return found;
}

function lineError({ line, text, associations }: Line, rejected: RejectedPairs): LineError | undefined {
  const found = associations.flatMap(association => {
    const pair = rejected.of(association);
    return pair ? { association, error: pair.error } : [];
  });
  const [first] = found;
  if (!first) return undefined;
  const words = new Set(found.map(({ error }) => wordsOf(error)));
  const message =
    words.size === 1
      ? wordsOf(first.error)
      : found.map(({ association: { from, to }, error }) => `${from} to ${to}: ${wordsOf(error)}`).join('; ');
  const { message: _words, pairs: _pairs, ...error } = first.error;
  const sides = { from: new Set<string>(), to: new Set<string>() };
  for (const { association } of found)
    for (const side of ['from', 'to'] as const) sides[side].add(String(association[side]));
  const ids = { from: [...sides.from], to: [...sides.to] };
  return { line, text, message, error, ...(found.length < associations.length && { ids }) };
}

const wordsOf = ({ category, message }: ErrorContext): string =>
  category === undefined ? message : `${category}: ${message}`;
