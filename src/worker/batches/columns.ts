/**
 * The inputs of a call as columns, from the sealed batch to the request. An input is an index into them. Pure.
 */
import type { AssociationType, Pair } from '../../shared/contract/association.js';
import { idText } from '../../shared/contract/pairs.js';

/** Record pairs, no pair twice. Equal ids are equal numbers. */
export type PairColumns = {
  readonly size: number;
  /** from, to, from, to … (pairs.ts) */
  readonly ids: Float64Array<ArrayBuffer>;
  /** odd ids */
  readonly texts: readonly string[];
};
export type Columns = PairColumns & {
  /** the lists of types; most calls have one list */
  readonly types: readonly (readonly AssociationType[])[];
  /** for each input the index of its list in `types` */
  readonly typeAt: Uint32Array<ArrayBuffer>;
};

/** The content of one POST …/batch/create. */
export type Call = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly columns: Columns;
};

export const fromOf = ({ ids }: PairColumns, input: number): number => ids[2 * input] as number;
export const toOf = ({ ids }: PairColumns, input: number): number => ids[2 * input + 1] as number;
export const pairAt = (columns: PairColumns, input: number): Pair => [
  idText(fromOf(columns, input), columns.texts),
  idText(toOf(columns, input), columns.texts),
];

/** 0, 1, 2 … */
export function indexes(size: number): number[] {
  const all: number[] = [];
  for (let index = 0; index < size; index++) all.push(index);
  return all;
}

/** @returns new columns with some of the inputs */
export function pick(columns: Columns, inputs: readonly number[]): Columns {
  const { types, texts } = columns;
  const size = inputs.length;
  const ids = new Float64Array(2 * size);
  const typeAt = new Uint32Array(size);
  for (let at = 0; at < size; at++) {
    const input = inputs[at] as number;
    ids[2 * at] = fromOf(columns, input);
    ids[2 * at + 1] = toOf(columns, input);
    typeAt[at] = columns.typeAt[input] as number;
  }
  return { size, ids, texts: texts.length === 0 ? texts : renumber(ids, texts), types, typeAt };
}

/** Renumbers the odd ids. @returns only the texts that the ids use */
function renumber(ids: Float64Array, texts: readonly string[]): string[] {
  const left: string[] = [];
  const places = new Map<number, number>();
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at] as number;
    if (id >= 0) continue;
    let place = places.get(id);
    if (place === undefined) {
      place = -left.push(texts[-1 - id] as string);
      places.set(id, place);
    }
    ids[at] = place;
  }
  return left;
}

/** Columns for another thread. Ids have no white space, and copying one long text is cheaper than copying many. */
export type PackedColumns = Omit<Columns, 'texts'> & { readonly texts: string };

const SEPARATOR = '\n';

export const packColumns = (columns: Columns): PackedColumns => ({
  ...columns,
  texts: columns.texts.join(SEPARATOR),
});

export const unpackColumns = (columns: PackedColumns): Columns => ({
  ...columns,
  texts: columns.texts === '' ? [] : columns.texts.split(SEPARATOR),
});
