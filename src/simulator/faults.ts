/**
 * Scripted faults: their schema, the calls that they strike, and the faults that no call has met yet.
 *
 *   `times: n` (default 1): strikes the next n matching calls. assertNoPendingFaults demands that they come.
 *   `rate: r`: strikes each matching call with that probability, 1 = always; never pending. `times` limits the number.
 *
 * A call meets the first fault, in scripting order, that matches and strikes. A call that is refused with 401 or by the
 * limits meets none. Not here: what a fault does (create.ts).
 */

import { ConfigError } from '../shared/contract/errors.js';
import { objectTypeId } from '../shared/contract/object-types.js';
import { Compile, type Static, Type } from '../shared/contract/typebox.js';
import type { Batch } from './batch.js';
import type { Random } from './random.js';

const Ids = Type.Array(Type.String());
const kind = <const K extends string>(name: K) => Type.Literal(name);

const common = {
  times: Type.Optional(Type.Integer({ minimum: 1 })),
  rate: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  /** all given conditions must hold */
  match: Type.Optional(
    Type.Object(
      {
        endpoint: Type.Optional(Type.Enum(['create', 'read', 'labels', 'account'])),
        fromObjectType: Type.Optional(Type.String()),
        toObjectType: Type.Optional(Type.String()),
        minInputs: Type.Optional(Type.Integer()),
        maxInputs: Type.Optional(Type.Integer()),
        /** the call contains one of these records, on either side */
        ids: Type.Optional(Ids),
        /** the call contains one of these [from, to] */
        pairs: Type.Optional(Type.Array(Type.Tuple([Type.String(), Type.String()]))),
      },
      { additionalProperties: false },
    ),
  ),
};
/** the simulator writes the good inputs although the answer does not say so */
const applied = Type.Optional(Type.Boolean());
const strict = { additionalProperties: false };

const FaultSchema = Type.Union([
  /** any answer; without a body the usual one for the status (replies.ts) */
  Type.Object(
    {
      kind: kind('status'),
      status: Type.Integer({ minimum: 200, maximum: 599 }),
      headers: Type.Optional(Type.Record(Type.String(), Type.String())),
      body: Type.Optional(Type.Unknown()),
      applied,
      ...common,
    },
    strict,
  ),
  /** errors for the inputs with one of `ids`, or for each n-th (`every`), or for all; the other inputs are judged as usual */
  Type.Object(
    {
      kind: kind('partial'),
      ids: Type.Optional(Ids),
      every: Type.Optional(Type.Integer({ minimum: 1 })),
      /** full: objectType and id · id-only · pair: fromObjectId and toObjectId · none */
      context: Type.Optional(Type.Enum(['full', 'id-only', 'pair', 'none'])),
      category: Type.Optional(Type.String()),
      subCategory: Type.Optional(Type.String()),
      message: Type.Optional(Type.String()),
      ...common,
    },
    strict,
  ),
  /** 400 for the call, nothing written; with `ids` it strikes only calls with one of them */
  Type.Object({ kind: kind('refuse'), named: Type.Boolean(), ids: Type.Optional(Ids), ...common }, strict),
  /** 2xx without results and errors; nothing written unless applied */
  Type.Object({ kind: kind('empty'), applied, ...common }, strict),
  /** the inputs with one of `ids`, or all inputs, appear in neither list; not written unless applied */
  Type.Object({ kind: kind('omit'), ids: Type.Optional(Ids), applied, ...common }, strict),
  /** writes at once, answers later */
  Type.Object({ kind: kind('slow'), ms: Type.Integer({ minimum: 0 }), ...common }, strict),
  /** resets the connection instead of answering */
  Type.Object({ kind: kind('reset'), applied, ...common }, strict),
  /** sends half of the answer */
  Type.Object({ kind: kind('half-body'), applied, ...common }, strict),
]);
export type Fault = Static<typeof FaultSchema>;
type CallMatch = NonNullable<Fault['match']>;

const check = Compile(FaultSchema);

/** @throws ConfigError that quotes the invalid fault */
export function checkFault(given: unknown): Fault {
  if (check.Check(given)) return given;
  const problems = check.Errors(given).map(error => `${error.instancePath || '/'} ${error.message}`);
  throw new ConfigError([`not a fault: ${JSON.stringify(given)}`, ...new Set(problems)]);
}

/** The properties of a call that `match` compares. Only batch/create has a batch; calls about the account have no types. */
export type Target = {
  readonly endpoint: 'create' | 'read' | 'labels' | 'account';
  readonly fromType: string;
  readonly toType: string;
  readonly batch?: Batch;
};

type Scripted = { readonly fault: Fault; left: number };

export class FaultScript {
  #scripted: Scripted[] = [];

  add(fault: Fault): void {
    const left = fault.times ?? (fault.rate === undefined ? 1 : Number.POSITIVE_INFINITY);
    this.#scripted.push({ fault, left });
  }

  /** @returns the fault that this call meets; the fault is then used up once */
  take(target: Target, random: Random): Fault | undefined {
    const struck = this.#scripted.find(
      ({ fault }) => matches(fault, target) && (fault.rate === undefined || random() < fault.rate),
    );
    if (!struck) return undefined;
    struck.left -= 1;
    if (struck.left <= 0) this.#scripted = this.#scripted.filter(other => other !== struck);
    return struck.fault;
  }

  /** @returns faults with `times` that have calls left to strike */
  pending(): { fault: Fault; left: number }[] {
    return this.#scripted.filter(({ fault }) => fault.rate === undefined);
  }

  clear(): void {
    this.#scripted = [];
  }
}

function matches(fault: Fault, target: Target): boolean {
  const match: CallMatch = fault.match ?? {};
  if ((match.endpoint ?? 'create') !== target.endpoint) return false;
  if (!sameType(match.fromObjectType, target.fromType) || !sameType(match.toObjectType, target.toType))
    return false;
  const inputs = target.batch?.from.length ?? 0;
  if (inputs < (match.minInputs ?? 0) || inputs > (match.maxInputs ?? Number.POSITIVE_INFINITY)) return false;
  if (match.ids && !holdsRecord(target.batch, match.ids)) return false;
  if (match.pairs && !holdsPair(target.batch, match.pairs)) return false;
  return fault.kind !== 'refuse' || fault.ids === undefined || holdsRecord(target.batch, fault.ids);
}

const sameType = (wanted: string | undefined, given: string): boolean =>
  wanted === undefined || objectTypeId(wanted) === given;

function holdsRecord(batch: Batch | undefined, ids: readonly string[]): boolean {
  const wanted = new Set(ids);
  return (
    batch !== undefined && (batch.from.some(id => wanted.has(id)) || batch.to.some(id => wanted.has(id)))
  );
}

const holdsPair = (batch: Batch | undefined, pairs: readonly (readonly string[])[]): boolean =>
  batch?.from.some((from, index) => pairs.some(([a, b]) => a === from && b === batch.to[index])) ?? false;
