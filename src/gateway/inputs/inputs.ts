/**
 * Turns the body of a request into jobs, or refuses it with every bad input by its index. It checks everything before
 * anything is enqueued, and waits only for uncached labels. The producer's packer makes the jobs: the same body always gives
 * the same jobs, which makes repeats harmless.
 */
import { createHash } from 'node:crypto';
import { saysTypes, type TypesOf, withTypes } from '../../labels/type-resolver.js';
import { typeWarnings } from '../../labels/type-warnings.js';
import { Packer } from '../../producer/packer.js';
import { associationFaults, isObjectType, type JobData } from '../../shared/contract/association.js';
import { fieldMeant, fieldNamed } from '../../shared/contract/association-fields.js';
import { LabelLookupError } from '../../shared/contract/errors.js';
import { misspeltObjectType } from '../../shared/contract/object-types.js';
import { quote } from '../../shared/contract/record-id.js';
import { type Fault, NOTHING_ENQUEUED, Refusal, unavailable } from '../refusal.js';
import { cut, inputFaults, isRecord, placed, readInput } from './input.js';
import { TypeLists } from './type-lists.js';

/** Most faults in an answer; the message has the number of bad inputs. */
const MAX_FAULTS_LISTED = 1_000;

export type ReadInputs = {
  readonly jobs: readonly JobData[];
  readonly inputs: number;
  /** warnings about types that look wrong */
  readonly warnings: readonly string[];
};
export type InputOptions = { readonly maxInputs: number; readonly typesOf: TypesOf };

/** @throws Refusal with the faults, or 503 if labels are needed and cannot be looked up */
export async function readInputs(
  fromObjectType: string,
  toObjectType: string,
  body: unknown,
  { maxInputs, typesOf }: InputOptions,
): Promise<ReadInputs> {
  const wrong = objectTypeFaults({ fromObjectType, toObjectType });
  if (wrong.length > 0) throw new Refusal(400, 'The object types in the path are wrong', wrong);
  const inputs = isRecord(body) ? body.inputs : undefined;
  if (!Array.isArray(inputs))
    throw new Refusal(400, 'The body must be a JSON object with a list of inputs', [
      { message: isRecord(body) ? 'inputs is not a list' : 'not a JSON object', in: 'inputs' },
    ]);
  refuseFieldsBesideInputs(body as object);
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
  const typeLists = new TypeLists();
  const jobs: JobData[] = [];
  const faults: Fault[] = [];
  let bad = 0;
  const refuse = (some: readonly Fault[]) => {
    bad += 1;
    if (faults.length < MAX_FAULTS_LISTED) faults.push(...some);
  };
  const objectPair = { fromObjectType, toObjectType };
  for (const [index, given] of (inputs as readonly unknown[]).entries()) {
    const read = readInput(given, index, objectPair, faults.length < MAX_FAULTS_LISTED);
    if (read.faults) {
      refuse(read.faults);
      continue;
    }
    let association = read.association;
    const tooMany = typeLists.fault(association);
    if (tooMany !== undefined) {
      refuse([placed(tooMany, place => `inputs[${index}].${place}`)]);
      continue;
    }
    if (!saysTypes(association)) {
      const answer = typesOf(association);
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

/** Most names beside the inputs. More are refused unread: checking a name takes a microsecond, and a body may have a million. */
const MAX_NAMES_BESIDE_INPUTS = 100;

/**
 * Refuses types or a label beside the list of inputs or in the query of the URL: they would be ignored, and every input
 * would be created as HubSpot's unlabelled association.
 */
export function refuseFieldsBesideInputs(given: object): void {
  const faults: Fault[] = [];
  const names = Object.keys(given);
  for (const name of names.slice(0, MAX_NAMES_BESIDE_INPUTS))
    if (fieldNamed(name) ?? fieldMeant(name)) {
      const place = quote(cut(name)).slice(1, -1);
      faults.push({ message: `${place}: stands beside inputs; say it in each input`, in: place });
    }
  if (names.length > MAX_NAMES_BESIDE_INPUTS)
    faults.push({ message: `more than ${MAX_NAMES_BESIDE_INPUTS} names beside inputs`, in: 'inputs' });
  if (faults.length > 0)
    throw new Refusal(
      400,
      `The request says something of all inputs, which only each input can say; ${NOTHING_ENQUEUED}`,
      faults,
    );
}

function asUnavailable(error: unknown): never {
  if (!(error instanceof LabelLookupError)) throw error;
  throw unavailable(
    `${error.message}; ${NOTHING_ENQUEUED}`,
    Math.max(1, Math.ceil(error.retryAfterMs / 1_000)),
  );
}

/** @returns the same fingerprint for the same associations, however the JSON is written */
export function fingerprint(jobs: readonly JobData[]): string {
  const hash = createHash('sha256');
  for (const job of jobs) hash.update(JSON.stringify(job));
  return hash.digest('base64url');
}

const GOOD = {
  from: 1,
  to: 1,
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }],
} as const;

function objectTypeFaults(sides: Readonly<Record<'fromObjectType' | 'toObjectType', string>>): Fault[] {
  const { fromObjectType, toObjectType } = sides;
  const given = { fromObjectType: cut(fromObjectType), toObjectType: cut(toObjectType) };
  const malformed = associationFaults({ ...GOOD, ...given });
  const misspelt = Object.entries(sides).flatMap(([side, name]) => {
    const fault = isObjectType(name) ? misspeltObjectType(name) : undefined;
    return fault === undefined ? [] : `${side}: ${fault}`;
  });
  return [...malformed, ...misspelt].map(fault => placed(fault, place => place));
}
