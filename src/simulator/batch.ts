/**
 * Reads the body of a batch/create call into columns, without an object for each of two thousand inputs.
 * Refuses a malformed body. rules.ts judges the inputs.
 */
import {
  type AssociationType,
  MAX_INPUTS_PER_CALL,
  typesFaults,
  typesText,
  typeText,
} from '../shared/contract/association.js';
import { type BadRequest, refusal, refusalOfJson } from './replies.js';
import { scanInputs } from './scan.js';

/** Interned: equal lists of types are the same object, so that they are compared and stored by reference. */
export type TypeList = readonly AssociationType[];

/** Input i is from[i] → to[i] with types[i]. Object types are type ids. */
export type Batch = {
  readonly fromType: string;
  readonly toType: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly types: readonly TypeList[];
};

export class TypeLists {
  #byText = new Map<string, TypeList>();
  #numbers = new Map<TypeList, number>();
  #lists: TypeList[] = [];

  intern(types: TypeList): TypeList {
    const text = typesText(types);
    const known = this.#byText.get(text);
    if (known) return known;
    this.#byText.set(text, types);
    this.#numbers.set(types, this.#lists.push(types) - 1);
    return types;
  }

  union(one: TypeList, other: TypeList): TypeList {
    const byText = new Map([...one, ...other].map(type => [typeText(type), type]));
    return this.intern([...byText.values()]);
  }

  /** @returns the number of an interned list */
  numberOf(types: TypeList): number {
    return this.#numbers.get(types) ?? 0;
  }

  list(number: number): TypeList {
    return this.#lists[number] ?? [];
  }
}

type WireInput = { from?: { id?: unknown }; to?: { id?: unknown }; types?: unknown } | null;

/** @returns the batch, or HubSpot's refusal of the whole call */
export function readBatch(
  body: Buffer,
  fromType: string,
  toType: string,
  lists: TypeLists,
): { batch: Batch } | { refusal: BadRequest } {
  const scanned = scan(body, lists);
  if (scanned && scanned.from.length <= MAX_INPUTS_PER_CALL)
    return { batch: { fromType, toType, ...scanned } };
  let json: { inputs?: unknown } | null;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return { refusal: refusalOfJson() };
  }
  const inputs: unknown = json?.inputs;
  if (!Array.isArray(inputs)) return { refusal: refusal('inputs is required') };
  if (inputs.length === 0) return { refusal: refusal('inputs must not be empty') };
  if (inputs.length > MAX_INPUTS_PER_CALL)
    return {
      refusal: refusal(
        `The maximum number of inputs supported in a batch is ${MAX_INPUTS_PER_CALL}. Please reduce the number of items and try again`,
      ),
    };
  return readInputs(inputs, fromType, toType, lists);
}

/** The fast path for a valid body in the usual form. */
function scan(body: Buffer, lists: TypeLists): Pick<Batch, 'from' | 'to' | 'types'> | undefined {
  const scanned = scanInputs(body);
  if (!scanned) return undefined;
  try {
    const types: unknown = JSON.parse(scanned.types);
    if (typesFaults(types).length > 0) return undefined;
    const list = lists.intern(types as AssociationType[]);
    return { from: scanned.from, to: scanned.to, types: new Array(scanned.from.length).fill(list) };
  } catch {
    return undefined; // the slow path finds the error
  }
}

function readInputs(
  inputs: readonly WireInput[],
  fromType: string,
  toType: string,
  lists: TypeLists,
): { batch: Batch } | { refusal: BadRequest } {
  const from: string[] = [];
  const to: string[] = [];
  const types: TypeList[] = [];
  const reader = typeReader(lists);
  for (const [index, input] of inputs.entries()) {
    const fromId = recordId(input?.from?.id);
    const toId = recordId(input?.to?.id);
    const list = reader(input?.types);
    if (fromId === undefined || toId === undefined)
      return { refusal: refusal(`inputs[${index}]: from.id and to.id are required`) };
    if (typeof list === 'string') return { refusal: refusal(`inputs[${index}].${list}`) };
    from.push(fromId);
    to.push(toId);
    types.push(list);
  }
  return { batch: { fromType, toType, from, to, types } };
}

const recordId = (id: unknown): string | undefined => {
  if (typeof id === 'string') return id === '' ? undefined : id;
  return typeof id === 'number' ? String(id) : undefined;
};

/** @returns a function that reads types: the list, or an error. Nearly every input has the list of the previous input. */
function typeReader(lists: TypeLists): (types: unknown) => TypeList | string {
  let lastCategory: unknown;
  let lastId: unknown;
  let last: TypeList | undefined;
  return given => {
    const only: Partial<AssociationType> | undefined =
      Array.isArray(given) && given.length === 1 ? given[0] : undefined;
    if (last && only?.associationCategory === lastCategory && only?.associationTypeId === lastId) return last;
    const [fault] = typesFaults(given);
    if (fault !== undefined) return fault;
    const list = lists.intern(given as AssociationType[]);
    if (only) {
      lastCategory = only.associationCategory;
      lastId = only.associationTypeId;
      last = list;
    }
    return list;
  };
}
