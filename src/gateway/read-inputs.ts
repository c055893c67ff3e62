/**
 * The body of a request → jobs, or every bad input by its index. Pure; everything is looked at before anything is
 * enqueued. Packing is the producer's: the same body always gives the same jobs, which makes repeats harmless.
 */
import { createHash } from 'node:crypto';
import { Compile } from 'typebox/compile';
import { Packer } from '../producer/packer.js';
import {
  type Association,
  associationFaults,
  isObjectType,
  type JobData,
  MAX_TYPES,
} from '../shared/association.js';
import { type Fault, Refusal } from './refusal.js';
import { type Input, InputSchema } from './schemas.js';

/** Faults that an answer lists; the message holds the number of bad inputs. */
const MAX_FAULTS_LISTED = 1_000;
/** Longer texts are no ids and are cut before they are quoted. */
const MAX_QUOTED = 200;

const inputCheck = Compile(InputSchema);

export type ReadInputs = { readonly jobs: readonly JobData[]; readonly inputs: number };

/** @throws Refusal naming what is wrong */
export function readInputs(
  fromObjectType: string,
  toObjectType: string,
  body: unknown,
  maxInputs: number,
): ReadInputs {
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

  const packer = new Packer({ source: 'gateway' });
  const jobs: JobData[] = [];
  const faults: Fault[] = [];
  let bad = 0;
  inputs.forEach((given: unknown, index) => {
    const job = inputCheck.Check(given)
      ? packer.add(associationOf(given, fromObjectType, toObjectType))
      : undefined;
    if (!job) {
      bad += 1;
      if (faults.length < MAX_FAULTS_LISTED) faults.push(...inputFaults(given, index));
    } else if (packer.isFull(job)) jobs.push(job);
  });
  if (bad > 0)
    throw new Refusal(
      400,
      `${bad} of ${inputs.length} inputs cannot be enqueued; nothing was enqueued`,
      faults.slice(0, MAX_FAULTS_LISTED),
    );
  jobs.push(...packer.takeOpen());
  return { jobs, inputs: inputs.length };
}

/** The same for the same associations, whatever the spelling of the JSON. */
export function fingerprint(jobs: readonly JobData[]): string {
  const hash = createHash('sha256');
  for (const job of jobs) hash.update(JSON.stringify(job));
  return hash.digest('base64url');
}

const associationOf = (
  { from, to, types }: Input,
  fromObjectType: string,
  toObjectType: string,
): Association => ({ fromObjectType, toObjectType, from: from.id, to: to.id, types });

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
  const readable = {
    fromObjectType: 'a',
    toObjectType: 'b',
    from: idOf(given.from),
    to: idOf(given.to),
    types: Array.isArray(given.types) ? given.types.slice(0, MAX_TYPES + 1).map(readableType) : undefined,
  };
  const faults = associationFaults(readable as unknown as Association).map(fault =>
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

const scalar = (value: unknown): unknown =>
  typeof value === 'string' ? cut(value) : typeof value === 'object' ? undefined : value;
const cut = (text: string): string => text.slice(0, MAX_QUOTED);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
