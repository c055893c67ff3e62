/**
 * A call and what it is packed into for the thread that makes it. Pure.
 * 2,000 objects cost more to clone than the call to make; one text of all ids costs next to nothing.
 */
import type { AssociationType } from '../shared/association.js';

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

export type PackedCall = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  /** from, to, from, to …: ids hold no white space */
  readonly ids: string;
  /** the different lists of types; most batches have one */
  readonly types: readonly (readonly AssociationType[])[];
  /** which of them each input has, where there are several */
  readonly typesOf?: Uint16Array;
};

const SEPARATOR = '\n';

export function packCall({ fromObjectType, toObjectType, inputs }: Call): PackedCall {
  const ids: string[] = [];
  const known = new Map<readonly AssociationType[], number>();
  const typesOf = new Uint16Array(inputs.length);
  for (const [at, { from, to, types }] of inputs.entries()) {
    ids.push(from, to);
    let which = known.get(types);
    if (which === undefined) {
      which = known.size;
      known.set(types, which);
    }
    typesOf[at] = which;
  }
  return {
    fromObjectType,
    toObjectType,
    ids: ids.join(SEPARATOR),
    types: [...known.keys()],
    ...(known.size > 1 && { typesOf }),
  };
}

export function unpackCall({ fromObjectType, toObjectType, ids, types, typesOf }: PackedCall): Call {
  const flat = ids === '' ? [] : ids.split(SEPARATOR);
  const inputs: Call['inputs'][number][] = [];
  for (let at = 0; 2 * at < flat.length; at++)
    inputs.push({
      from: flat[2 * at] as string,
      to: flat[2 * at + 1] as string,
      types: types[typesOf?.[at] ?? 0] ?? [],
    });
  return { fromObjectType, toObjectType, inputs };
}
