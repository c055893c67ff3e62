/** Lines through a parser of an import, as `enqueue FILE` feeds them. */
import {
  type LineDefaults,
  type LineParser,
  noLines,
  type ParsedLines,
} from '../../src/producer/import/line.js';

export const defaults: LineDefaults = {
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
};

/** @returns the result of the text, with refusals as `line: reasons` */
export function parseAll(
  parser: LineParser,
  text: string,
): ParsedLines & { problems: string[]; refused: string[] } {
  const into = noLines();
  text.split('\n').forEach((line, index) => {
    parser.feed(line, index + 1, into);
  });
  parser.end(into);
  const refused = into.refusals.map(({ line, reasons }) => `${line}: ${reasons.join('; ')}`);
  return { ...into, problems: parser.problems(), refused };
}

/** `from>to` of each association */
export const pairsText = ({ associations }: ParsedLines) =>
  associations.map(({ from, to }) => `${from}>${to}`);
