/**
 * The body of a request → jobs, or every bad input by its index. Everything is looked at before anything is enqueued. It
 * waits for nothing but labels that are not known yet. Packing is the producer's: the same body always gives the same
 * jobs, which makes repeats harmless.
 */
import { createHash } from 'node:crypto';
import { Compile } from 'typebox/compile';
import { saysTypes, type TypesOf, withTypes } from '../labels/type-resolver.js';
import { typeWarnings } from '../labels/type-warnings.js';
import { Packer } from '../producer/packer.js';
import {
  type Association,
  associationFaults,
  isObjectType,
  type JobData,
  MAX_LABEL_LENGTH,
  MAX_TYPES,
} from '../shared/association.js';
import { LabelLookupError } from '../shared/errors.js';
import { misspeltField } from '../shared/meant.js';
import { type Fault, Refusal, unavailable } from './refusal.js';
import { type Input, InputSchema } from './schemas.js';

/** Faults that an answer lists; the message holds the number of bad inputs. */
const MAX_FAULTS_LISTED = 1_000;
/** Longer texts are no ids and are cut before they are quoted. */
const MAX_QUOTED = 200;

const inputCheck = Compile(InputSchema);

export type ReadInputs = {
  readonly jobs: readonly JobData[];
  readonly inputs: number;
  /** of types that look wrong */
  readonly warnings: readonly string[];
};
export type Reading = { readonly maxInputs: number; readonly typesOf: TypesOf };

/** @throws Refusal naming what is wrong, or 503 when labels are needed and cannot be looked up */
export async function readInputs(
  fromObjectType: string,
  toObjectType: string,
  body: unknown,
  { maxInputs, typesOf }: Reading,
): Promise<ReadInputs> {
  if (!isObjectType(fromObjectType) || !isObjectType(toObjectType))
    throw new Refusal(
      400,
      'The object types in the path are wrong',
      objectTypeFaults(fromObjectType, toObjectType),
    );
  const inputs = isRecord(body) ? body.inputs : undefined;
  if (!Array.isArray(inputs))
    throw new Refusal(400, 'The body must be a JSON object with a list of inputs', [
      { message: isRecord(body) ? 'inputs is not a list' : 'not a JSON object', in: 'inputs' },
    ]);
  if (inputs.length === 0)
    throw new Refusal(400, 'At least one input is needed', [{ message: 'the list is empty', in: 'inputs' }]);
  if (inputs.length > maxInputs)
    throw new Refusal(
      413,
      `The maximum number of inputs supported in a request is ${maxInputs}. Please reduce the number of items and try again`,
      [{ message: `${inputs.length} inputs`, in: 'inputs' }],
    );

  const warnings: string[] = [];
  const packer = new Packer({ source: 'gateway' }, undefined, lane => warnings.push(...typeWarnings(lane)));
  const jobs: JobData[] = [];
  const faults: Fault[] = [];
  let bad = 0;
  const refuse = (some: readonly Fault[]) => {
    bad += 1;
    if (faults.length < MAX_FAULTS_LISTED) faults.push(...some);
  };
  for (const [index, given] of (inputs as readonly unknown[]).entries()) {
    if (!inputCheck.Check(given)) {
      refuse(inputFaults(given, index));
      continue;
    }
    let association = associationOf(given, fromObjectType, toObjectType);
    if (!saysTypes(association)) {
      const misspelt = association.label === undefined ? misspeltField(given) : undefined;
      const answer = misspelt === undefined ? typesOf(association) : { fault: misspelt };
      const resolved = answer instanceof Promise ? await answer.catch(asUnavailable) : answer;
      if (resolved.fault !== undefined) {
        refuse([placed(resolved.fault, place => `inputs[${index}].${place}`)]);
        continue;
      }
      association = withTypes(association, resolved.types);
    }
    const job = packer.add(association);
    if (!job) refuse(inputFaults(given, index));
    else if (packer.isFull(job)) jobs.push(job);
  }
  if (bad > 0)
    throw new Refusal(
      400,
      `${bad} of ${inputs.length} inputs cannot be enqueued; nothing was enqueued`,
      faults.slice(0, MAX_FAULTS_LISTED),
    );
  jobs.push(...packer.takeOpen());
  return { jobs, inputs: inputs.length, warnings };
}

function asUnavailable(error: unknown): never {
  if (!(error instanceof LabelLookupError)) throw error;
  throw unavailable(error.message, Math.max(1, Math.ceil(error.retryAfterMs / 1_000)));
}

/** The same for the same associations, whatever the spelling of the JSON. */
export function fingerprint(jobs: readonly JobData[]): string {
  const hash = createHash('sha256');
  for (const job of jobs) hash.update(JSON.stringify(job));
  return hash.digest('base64url');
}

const associationOf = (
  { from, to, types, label }: Input,
  fromObjectType: string,
  toObjectType: string,
): Association => ({ fromObjectType, toObjectType, from: from.id, to: to.id, types, label });

const GOOD = {
  from: 1,
  to: 1,
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }],
} as const;

const objectTypeFaults = (fromObjectType: string, toObjectType: string): Fault[] =>
  associationFaults({ ...GOOD, fromObjectType: cut(fromObjectType), toObjectType: cut(toObjectType) }).map(
    fault => placed(fault, place => place),
  );

function inputFaults(given: unknown, index: number): Fault[] {
  const at = `inputs[${index}]`;
  if (!isRecord(given)) return [{ message: `${at} is not an object`, in: at }];
  const idOf = (side: unknown) => (isRecord(side) ? scalar(side.id) : undefined);
  // Only scalars are handed on: they are quoted in the words, and anything may stand here.
  const shown = {
    fromObjectType: 'a',
    toObjectType: 'b',
    from: idOf(given.from),
    to: idOf(given.to),
    types: Array.isArray(given.types)
      ? given.types.slice(0, MAX_TYPES + 1).map(readableType)
      : readable(given.types),
    label: readable(given.label, MAX_LABEL_LENGTH + 1),
  };
  const faults = associationFaults(shown as unknown as Association).map(fault =>
    placed(fault, place => `${at}.${place === 'from' || place === 'to' ? `${place}.id` : place}`),
  );
  return faults.length > 0 ? faults : [{ message: `${at} is not an input`, in: at }];
}

const readableType = (type: unknown) =>
  isRecord(type)
    ? {
        associationCategory: scalar(type.associationCategory),
        associationTypeId: scalar(type.associationTypeId),
      }
    : null;

/** `from: "" is not a record id` → the place apart from the words, which repeat it for people. */
function placed(fault: string, name: (place: string) => string): Fault {
  const end = fault.indexOf(': ');
  const place = name(fault.slice(0, end));
  return { message: `${place}: ${fault.slice(end + 2)}`, in: place };
}

const scalar = (value: unknown, length?: number): unknown =>
  typeof value === 'string' ? cut(value, length) : typeof value === 'object' ? undefined : value;
/** Absent stays absent; what is there and no scalar is null. */
const readable = (value: unknown, length?: number): unknown =>
  value === undefined ? undefined : (scalar(value, length) ?? null);
const cut = (text: string, length = MAX_QUOTED): string => text.slice(0, length);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
