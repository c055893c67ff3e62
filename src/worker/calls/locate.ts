/**
 * Finds the inputs that one of HubSpot's errors means. Pure.
 *
 * HubSpot gives inputs no trace id. An error may have ids in its context under various keys, ids in a sentence, a type
 * instead of an id, or none of these. An id often comes without its side. An input counts as named only if there is no
 * doubt. If the error may mean several inputs, they are suspects: a good input must never be rejected in place of a bad one.
 */

import { field, text } from '../../hubspot/classify.js';
import type { AssociationType } from '../../shared/contract/association.js';
import { sameTypeName } from '../../shared/contract/object-types.js';
import { type Columns, fromOf, toOf } from '../batches/columns.js';
import { idReader } from './results.js';

/** One error, wherever in the answer it was. */
export type HubSpotError = {
  readonly category?: string;
  readonly subCategory?: string;
  readonly message: string;
  readonly correlationId?: string;
  readonly context: unknown;
};

export type Located =
  | { readonly kind: 'named'; readonly inputs: readonly number[] }
  | { readonly kind: 'suspected'; readonly inputs: readonly number[] }
  /** the error means the object pair itself */
  | { readonly kind: 'everyone' }
  | { readonly kind: 'nobody' };

type Side = 'from' | 'to';
type Mention = { readonly id: number; readonly side: Side | undefined };

/** The inputs of one call by id. Built only if an answer has errors. */
export class InputIndex {
  readonly from = new Map<number, number[]>();
  readonly to = new Map<number, number[]>();
  /** turns an id of an answer into its number in the columns; NaN if no input has it */
  readonly numberOf: (id: string) => number;
  readonly #fromType: string;
  readonly #toType: string;

  /** @param inputs of the call, in these columns */
  constructor(
    readonly columns: Columns,
    readonly inputs: readonly number[],
    fromObjectType: string,
    toObjectType: string,
  ) {
    this.numberOf = idReader(columns.texts);
    this.#fromType = sameTypeName(fromObjectType);
    this.#toType = sameTypeName(toObjectType);
    for (const input of inputs) {
      append(this.from, fromOf(columns, input), input);
      append(this.to, toOf(columns, input), input);
    }
  }

  typesOf(input: number): readonly AssociationType[] {
    const { types, typeAt } = this.columns;
    return types[typeAt[input] as number] ?? [];
  }

  /** @returns the side that a type name means; undefined if it means both or neither */
  sideOf(objectType: string | undefined): Side | undefined {
    if (objectType === undefined || this.#fromType === this.#toType) return undefined;
    const type = sameTypeName(objectType);
    if (type === this.#fromType) return 'from';
    return type === this.#toType ? 'to' : undefined;
  }
}

/** @param isDone true for inputs that the same answer lists as created; an id without a side cannot mean them */
export function locate(error: HubSpotError, index: InputIndex, isDone: (input: number) => boolean): Located {
  if (UNKNOWN_OBJECT_TYPE.test(error.message)) return { kind: 'everyone' };
  const exact = exactPairs(error, index);
  if (exact) return exact.length > 0 ? { kind: 'named', inputs: exact } : { kind: 'nobody' };
  // ids before types: an error with both means one input, not all inputs with the type
  const byId = locateIds(mentions(error, index), index, isDone);
  if (byId.kind !== 'nobody') return byId;
  const open = index.inputs.filter(input => !isDone(input));
  const byType = open.filter(input => namesTypeOf(error, index.typesOf(input)));
  if (byType.length > 0) return { kind: 'named', inputs: byType };
  return locateDefinition(error, open, index) ?? { kind: 'nobody' };
}

function locateIds(
  mentioned: readonly Mention[],
  index: InputIndex,
  isDone: (input: number) => boolean,
): Located {
  const named = new Set<number>();
  const suspected = new Set<number>();
  for (const { id, side } of mentioned) {
    const from = side === 'to' ? [] : (index.from.get(id) ?? []).filter(input => !isDone(input));
    const to = side === 'from' ? [] : (index.to.get(id) ?? []).filter(input => !isDone(input));
    // the same id on both sides, such as a contact 5 and a company 5, and HubSpot does not say which one it means
    const into = from.length > 0 && to.length > 0 ? suspected : named;
    for (const input of [...from, ...to]) into.add(input);
  }
  if (named.size > 0) return { kind: 'named', inputs: [...named] };
  return suspected.size > 0 ? { kind: 'suspected', inputs: [...suspected] } : { kind: 'nobody' };
}

// "Unable to infer object type from: X" [seen by third parties]
const UNKNOWN_OBJECT_TYPE = /unable to infer object type/i;
// "… invalid from object type 0-1 for associations to be created. expected: 0-46. For definition 0-190" [live]
const WRONG_DEFINITION = /for definition \d+-(\d+)/i;
// "USER_DEFINED=3 is not a valid association definition id", and the bare "USER_DEFINED=3" in associationSpec [live]
const TYPE_SPEC = /\b(HUBSPOT_DEFINED|USER_DEFINED|INTEGRATOR_DEFINED|WORK)=(\d+)\b/g;

/** The error names a definition without its category: if inputs have the id under several categories, it may mean any of them. */
function locateDefinition(
  error: HubSpotError,
  open: readonly number[],
  index: InputIndex,
): Located | undefined {
  const id = WRONG_DEFINITION.exec(error.message)?.[1];
  if (id === undefined) return undefined;
  const categories = new Set<string>();
  const inputs = open.filter(input => {
    const types = index.typesOf(input).filter(type => String(type.associationTypeId) === id);
    for (const type of types) categories.add(type.associationCategory);
    return types.length > 0;
  });
  if (inputs.length === 0) return undefined;
  return { kind: categories.size > 1 ? 'suspected' : 'named', inputs };
}

function namesTypeOf(error: HubSpotError, types: readonly AssociationType[]): boolean {
  const specs = [
    ...strings(field(error.context, 'associationSpec')),
    ...strings(field(error.context, 'INVALID_ASSOCIATION_TYPE_ID')),
    error.message,
  ].flatMap(sentence => [...sentence.matchAll(TYPE_SPEC)]);
  return specs.some(([, category, id]) =>
    types.some(type => type.associationCategory === category && String(type.associationTypeId) === id),
  );
}

// "Object 211762804612 cannot be associated to itself (211762804612)" [live]
const SELF = /^Object (\S+) cannot be associated to itself/;

/** @returns inputs of the pairs that the error names with both sides; undefined if it names no pairs */
function exactPairs(error: HubSpotError, index: InputIndex): number[] | undefined {
  const self = SELF.exec(error.message)?.[1];
  const { columns, numberOf } = index;
  const ids = (name: string): number[] => strings(field(error.context, name)).map(numberOf);
  const from = self === undefined ? ids('fromObjectId') : [numberOf(self)];
  const to = self === undefined ? ids('toObjectId') : from;
  if (from.length === 0 || to.length === 0) return undefined;
  if (from.length === to.length)
    return from.flatMap((id, at) =>
      (index.from.get(id) ?? []).filter(input => toOf(columns, input) === to[at]),
    );
  // one record with several others makes pairs as well; different numbers on both sides do not say which pairs
  if (from.length > 1 && to.length > 1) return [];
  return from.flatMap(id => (index.from.get(id) ?? []).filter(input => to.includes(toOf(columns, input))));
}

/** Observed sentences of HubSpot, and which of their words is an id. Any other sentence names no input. */
const ID_SENTENCES: readonly RegExp[] = [
  /^(?<id>\S+) is not a valid ID/, // [live]
  /^No (?<type>\w+) with ID (?<id>\S+) exists/, // [live]
  /^(?<type>\w+)=(?<id>\S+) is not valid/, // [live], in INVALID_OBJECT_IDS
];

function mentions(error: HubSpotError, index: InputIndex): Mention[] {
  const { context, subCategory = '' } = error;
  const types = [...strings(field(context, 'objectType')), ...strings(field(context, 'type'))];
  const stated = /\bFROM_OBJECT/.test(subCategory)
    ? 'from'
    : /\bTO_OBJECT/.test(subCategory)
      ? 'to'
      : undefined;
  const side = stated ?? (types.length === 1 ? index.sideOf(types[0]) : undefined);
  const named = (name: string, side: Side | undefined): Mention[] =>
    strings(field(context, name)).map(id => ({ id: index.numberOf(id), side }));
  const found = [
    ...named('fromObjectId', 'from'),
    ...named('toObjectId', 'to'),
    ...named('id', side),
    ...named('objectId', side),
  ];
  if (found.length > 0) return found;
  const sentences = [...strings(field(context, 'INVALID_OBJECT_IDS')), error.message];
  return sentences.flatMap(sentence => {
    for (const pattern of ID_SENTENCES) {
      const groups = pattern.exec(sentence)?.groups;
      if (groups?.id) return [{ id: index.numberOf(groups.id), side: stated ?? index.sideOf(groups.type) }];
    }
    return [];
  });
}

/** The documentation has lists of strings as context values; HubSpot also sends single strings and numbers (large ones lose digits). */
function strings(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap(item => (Number.isSafeInteger(item) ? [String(item)] : (text(item) ?? [])));
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
