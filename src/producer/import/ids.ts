/**
 * The record ids in a cell of a file: one, or several separated by `;`, as HubSpot exports associated ids.
 * Spreadsheets and data frames turn ids into numbers: what is lost is refused, and what can be told for sure is repaired
 * if the caller asked for it. Nothing is repaired silently. Pure, but it counts the repairs.
 */
import { counted } from '../../shared/contract/counted.js';
import { isRecordId, quote } from '../../shared/contract/record-id.js';
import { ENCODING_REMEDY, UNDECODED } from './encoding.js';

export const ID_SEPARATOR = ';';

/** Why a cell holds no ids. */
export class IdFault {
  constructor(readonly words: string) {}
}

const DIGITS = /^\d+$/;
/** `1.01E+11`; also `1,01E+11`, as a German Excel writes it */
const ROUNDED = /^[+-]?\d+([.,]\d+)?e[+-]?\d+$/i;
/** `="101"` and `'101`: ways to tell a spreadsheet that a cell is a text. They are no part of the text. */
const MARKED_AS_TEXT = /^(?:="([^"]*)"|'(.*))$/;
/** `101.0` and `101,00` */
const WHOLE_NUMBER = /^(\d+)[.,]0+$/;
/** `1,234`, `1.234.567`, `1'234`, and with a fraction of zeros: `1,234.0` */
const GROUPED = /^\d{1,3}(?:([,.'\u2019\u00a0\u202f])\d{3})(?:\1\d{3})*((?!\1)[.,]0+)?$/;
/** `1.000` is 1000 in one country and 1 in another. */
const AMBIGUOUS = /^\d{1,3}\.000$/;
const SEVERAL_BY_COMMA = /^\d+(,\s*\d+)+$/;
const FRACTION = /^[+-]?\d*[.,]\d+$/;
const EMPTY_WORD = /^(nan|null|none|nil|undefined|n\/a|#n\/a|\(no value\))$/i;

/** Repairs that are shown as examples. */
const MAX_EXAMPLES = 3;

export class IdReader {
  readonly #fix: boolean;
  #repairs = 0;
  readonly #examples: string[] = [];

  constructor(fix: boolean) {
    this.#fix = fix;
  }

  /**
   * @param cell without white space at its ends
   * @returns the ids, or why there are none; undefined if the cell is one id to be taken as it is, or no text
   */
  read(cell: unknown): readonly string[] | IdFault | undefined {
    if (typeof cell !== 'string' || cell === '' || DIGITS.test(cell)) return undefined;
    const bare = withoutMark(cell);
    if (!bare.includes(ID_SEPARATOR)) {
      const id = this.#read(bare);
      return typeof id === 'string' ? [id] : id;
    }
    const ids: string[] = [];
    for (const part of bare.split(ID_SEPARATOR)) {
      const text = withoutMark(part.trim());
      if (text === '') continue;
      const id = this.#read(text);
      if (typeof id !== 'string') return id;
      ids.push(id);
    }
    return ids.length > 0 ? ids : new IdFault(`${quote(cell)} has no record id`);
  }

  /** @returns a sentence about what was repaired; none if nothing was */
  repairs(): string[] {
    if (this.#repairs === 0) return [];
    const more = this.#repairs > this.#examples.length ? ', …' : '';
    return [`${counted(this.#repairs, 'id')} repaired (--fix-ids): ${this.#examples.join(', ')}${more}`];
  }

  #read(text: string): string | IdFault {
    if (DIGITS.test(text)) return text;
    if (ROUNDED.test(text))
      return new IdFault(
        `${quote(text)}: Excel has rounded this id: format the column as text and export again`,
      );
    const repaired = repairedId(text);
    if (repaired !== undefined) return this.#repair(text, repaired);
    const words = oddity(text);
    if (words !== undefined) return new IdFault(`${quote(text)} ${words}`);
    return isRecordId(text) ? text : new IdFault(`${quote(text)} is not a record id`);
  }

  #repair(text: string, repaired: string): string | IdFault {
    if (!this.#fix)
      return new IdFault(
        `${quote(text)} is written as a number, not as an id: format the column as text and export again, or give --fix-ids to read ${repaired}`,
      );
    this.#repairs += 1;
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push(`${quote(text)} as ${repaired}`);
    return repaired;
  }
}

function withoutMark(text: string): string {
  const marked = MARKED_AS_TEXT.exec(text);
  return marked ? (marked[1] ?? marked[2] ?? '').trim() : text;
}

/** @returns the id if there is only one that can be meant; undefined for a text that needs no repair or has none */
export function repairedId(text: string): string | undefined {
  if (AMBIGUOUS.test(text)) return undefined;
  const grouped = GROUPED.exec(text);
  if (grouped) return text.slice(0, text.length - (grouped[2]?.length ?? 0)).replace(/\D/g, '');
  return WHOLE_NUMBER.exec(text)?.[1];
}

/** @returns what is wrong with a text that is nearly a number, or that stands for nothing */
function oddity(text: string): string | undefined {
  if (text.includes(UNDECODED)) return `has a character that is not in this encoding: ${ENCODING_REMEDY}`;
  if (AMBIGUOUS.test(text))
    return 'is 1 or 1000 times as much, depending on the country: format the column as text and export again';
  if (SEVERAL_BY_COMMA.test(text)) return `is not a record id: separate several ids by ${ID_SEPARATOR}`;
  if (FRACTION.test(text)) return 'is a number with a fraction, not a record id';
  return EMPTY_WORD.test(text) ? 'stands for an empty cell' : undefined;
}
