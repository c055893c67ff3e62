/**
 * A call and what it is packed into for the thread that makes it. Pure.
 * 2,000 objects cost more to clone than the call to make; one text of all ids costs next to nothing.
 */
import type { AssociationType } from '../../shared/contract/association.js';

/** What one POST …/batch/create is made of. */
export type Call = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly inputs: readonly {
    readonly from: string;
    readonly to: string;
    readonly types: readonly AssociationType[];
  }[];
};

/** The inputs of a call where all ids are plain digits. */
export type Columns = {
  /** from, to, from, to … */
  readonly ids: Float64Array<ArrayBuffer>;
  /** lists of types; most calls have one */
  readonly types: readonly (readonly AssociationType[])[];
  /** how many inputs in a row have each of them */
  readonly counts: readonly number[];
};

/** The same call where all ids are plain digits. */
export type PlainCall = Pick<Call, 'fromObjectType' | 'toObjectType'> & { readonly columns: Columns };

export type PackedCall = Pick<Call, 'fromObjectType' | 'toObjectType'> &
  Pick<Columns, 'types' | 'counts'> & {
    /** from, to, from, to …: ids hold no white space */
    readonly ids: string;
  };

const SEPARATOR = '\n';

export function packCall({ fromObjectType, toObjectType, inputs }: Call): PackedCall {
  const ids: string[] = [];
  const types: (readonly AssociationType[])[] = [];
  const counts: number[] = [];
  for (const input of inputs) {
    ids.push(input.from, input.to);
    if (types.at(-1) !== input.types) {
      types.push(input.types);
      counts.push(0);
    }
    counts[types.length - 1] = (counts[types.length - 1] as number) + 1;
  }
  return { fromObjectType, toObjectType, ids: ids.join(SEPARATOR), types, counts };
}

export function unpackCall({ fromObjectType, toObjectType, ids, types, counts }: PackedCall): Call {
  const flat = ids === '' ? [] : ids.split(SEPARATOR);
  const inputs: Call['inputs'][number][] = [];
  for (const [which, count] of counts.entries())
    for (const end = inputs.length + count; inputs.length < end; ) {
      const at = 2 * inputs.length;
      inputs.push({ from: flat[at] as string, to: flat[at + 1] as string, types: types[which] ?? [] });
    }
  return { fromObjectType, toObjectType, inputs };
}
