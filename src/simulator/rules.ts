/**
 * Judges a batch as HubSpot does: which inputs it accepts, which inputs are errors and in which words. Pure.
 *
 *   1. A duplicate pair, or a type that does not exist for the object pair, refuses the whole call, whatever the options.
 *   2. A bad record id makes its input an error. The option `refusal` decides what happens to the other inputs.
 *
 * Not here: writing anything (create.ts), scripted faults (faults.ts), the JSON (answers.ts).
 */

import { objectTypeWord } from '../shared/contract/object-types.js';
import { type TypeOptions, typeFault } from './association-types.js';
import type { Batch } from './batch.js';
import { fateOf, type IdFate } from './conventions.js';
import type { SimulatorOptions } from './options.js';
import { type BadRequest, refusal } from './replies.js';

/** An entry of `errors` as HubSpot sends it. */
export type InputError = {
  readonly status: 'error';
  readonly category: string;
  readonly subCategory?: string;
  readonly message: string;
  readonly context?: Readonly<Record<string, readonly string[]>>;
};

/** The verdict on a call. Inputs by index: `created` inputs are written and reported, `ignored` ones are neither. */
export type Verdict =
  | { readonly kind: 'refused'; readonly refusal: BadRequest; readonly duplicates: number }
  | {
      readonly kind: 'judged';
      readonly created: readonly number[];
      readonly ignored: readonly number[];
      readonly errors: readonly InputError[];
    };

type RuleOptions = Pick<SimulatorOptions, 'refusal'> &
  TypeOptions & { readonly missing: ReadonlySet<string> };

export function judge(batch: Batch, options: RuleOptions): Verdict {
  const duplicates = countDuplicates(batch);
  if (duplicates > 0)
    return { kind: 'refused', refusal: refusal('Duplicate IDs found in batch input'), duplicates };
  const wrongTypes = refusalOfTypes(batch, options);
  if (wrongTypes) return { kind: 'refused', refusal: wrongTypes, duplicates: 0 };

  const created: number[] = [];
  const ignored: number[] = [];
  const faults = new Faults(batch);
  const sameType = batch.fromType === batch.toType;
  for (let index = 0; index < batch.from.length; index++) {
    const from = batch.from[index] as string;
    const to = batch.to[index] as string;
    const fromFate = fateOf(from, options.missing);
    const toFate = fateOf(to, options.missing);
    const self = sameType && from === to;
    if (fromFate === 'exists' && toFate === 'exists' && !self) created.push(index);
    else if (!faults.add(from, fromFate, to, toFate, self)) ignored.push(index);
  }
  if (faults.errors.length > 0 && options.refusal !== 'partial')
    return { kind: 'refused', refusal: faults.refusal(options.refusal === 'whole'), duplicates: 0 };
  return { kind: 'judged', created, ignored, errors: faults.errors };
}

/** Most `from` ids occur once: the code builds a key for a pair only when a `from` id recurs. */
function countDuplicates({ from, to }: Batch): number {
  const first = new Map<string, string>();
  const further = new Set<string>();
  let duplicates = 0;
  for (let index = 0; index < from.length; index++) {
    const left = from[index] as string;
    const right = to[index] as string;
    const known = first.get(left);
    if (known === undefined) first.set(left, right);
    else if (known === right) duplicates += 1;
    else {
      const key = `${left}\n${right}`;
      if (further.has(key)) duplicates += 1;
      else further.add(key);
    }
  }
  return duplicates;
}

/** Reports all unknown types together, but a type of another object pair or direction alone. */
function refusalOfTypes(batch: Batch, options: TypeOptions): BadRequest | undefined {
  const pair = { from: batch.fromType, to: batch.toType };
  const specs = new Set<string>();
  for (const types of new Set(batch.types)) {
    for (const type of types) {
      const fault = typeFault(pair, type, options);
      if (fault?.kind === 'elsewhere') return refusal(fault.message);
      if (fault) specs.add(fault.spec);
    }
  }
  if (specs.size === 0) return undefined;
  return refusal(INVALID, {
    associationSpec: [...specs],
    INVALID_ASSOCIATION_TYPE_ID: [...specs].map(spec => `${spec} is not a valid association definition id`),
  });
}

const INVALID = 'One or more associations are invalid';
const CROWDED = 'ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED';

/** Collects the errors of bad inputs: one for a record and side, however many inputs contain it. */
class Faults {
  readonly errors: InputError[] = [];
  #said = new Set<string>();
  #bad: { readonly id: string; readonly word: string }[] = [];

  constructor(private readonly batch: Batch) {}

  /** @returns false if there is no error: the input is accepted without effect */
  add(from: string, fromFate: IdFate, to: string, toFate: IdFate, self: boolean): boolean {
    // always check both sides: an input with two bad ids gives two errors
    const fromBad = this.#side('from', from, fromFate);
    const toBad = this.#side('to', to, toFate);
    if (self && !fromBad) this.#say({ message: selfMessage(from) });
    return fromBad || toBad || self;
  }

  /** @returns true if the id of this side is an error */
  #side(side: 'from' | 'to', id: string, fate: IdFate): boolean {
    if (fate === 'exists' || fate === 'ignored') return false;
    const key = `${fate === 'missing' ? side : ''}:${id}`;
    if (this.#said.has(key)) return true;
    this.#said.add(key);
    const word = objectTypeWord(side === 'from' ? this.batch.fromType : this.batch.toType);
    if (fate === 'crowded') this.#say({ message: CROWDED });
    else {
      this.#bad.push({ id, word: word.toUpperCase() });
      if (fate === 'malformed')
        this.#say({
          subCategory: 'crm.associations.INVALID_IDENTIFIER',
          message: `${id} is not a valid ID`,
          context: { id: [id] },
        });
      else
        this.#say({
          category: 'OBJECT_NOT_FOUND',
          subCategory: `crm.associations.${side.toUpperCase()}_OBJECT_NOT_FOUND`,
          message: `No ${word} with ID ${id} exists`,
          context: { objectType: [word], id: [id] },
        });
    }
    return true;
  }

  #say(error: Partial<InputError> & { message: string }): void {
    this.errors.push({ status: 'error', category: 'VALIDATION_ERROR', ...error });
  }

  /** The same errors as a refusal of the whole call. Errors without an id appear only if there are no others. */
  refusal(named: boolean): BadRequest {
    if (!named) return refusal(INVALID);
    if (this.#bad.length === 0) return refusal(this.errors[0]?.message ?? INVALID);
    return refusal(INVALID, {
      INVALID_OBJECT_IDS: this.#bad.map(({ id, word }) => `${word}=${id} is not valid`),
      objectId: this.#bad.map(({ id }) => id),
      objectType: [...new Set(this.#bad.map(({ word }) => word))],
    });
  }
}

const selfMessage = (id: string): string => `Object ${id} cannot be associated to itself (${id})`;
