/**
 * Reconciliation: compares an answer with the inputs of its call and decides about each input. Pure.
 *
 * It matches results by record pair, never by position; ids may come back as strings or numbers; it ignores extra results.
 * An input that appears nowhere never counts as created. The counts always add up:
 * created + named + rest + suspects = inputs.
 */
import { type Answer, field, isFinalNamed, isObject, text } from '../../hubspot/classify.js';
import { enteringWords } from '../../shared/runtime/text.js';
import type { Columns } from '../batches/columns.js';
import type { Failure } from '../batches/outcome.js';
import { failureOfError, MAX_WORD, noEffect } from './failure.js';
import { type HubSpotError, InputIndex, locate } from './locate.js';
import { errorsIn, LISTED, matchResults, TURNED } from './results.js';

export type NamedInput = { readonly input: number; readonly failure: Failure; readonly final: boolean };

/** Inputs are indexes into the columns of the batch. */
export type Reconciled = {
  readonly created: readonly number[];
  /** inputs that an error means without doubt */
  readonly named: readonly NamedInput[];
  /** good inputs of a refused call, to be sent again at once */
  readonly rest: readonly number[];
  /** inputs of which one or more are invalid or had no effect; the answer does not say which */
  readonly suspects: readonly number[];
  /** there are as many errors as suspects: every suspect is invalid, and halving would clear none */
  readonly allGuilty: boolean;
  /** the call was accepted and mentions no input */
  readonly isSilent: boolean;
  /** the failure of the suspects */
  readonly failure: Failure;
};

type Call = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly columns: Columns;
  /** indexes of the inputs that were sent */
  readonly inputs: readonly number[];
};

/** @param accepted true if the whole call was accepted (2xx), false if it was refused (4xx) */
export function reconcile(answer: Answer & { kind: 'answer' }, accepted: boolean, call: Call): Reconciled {
  const { columns, inputs } = call;
  if (accepted && answer.listsAll) return allCreated(inputs);
  const marks = accepted ? matchResults(answer.body, columns, inputs) : new Uint8Array(columns.size);
  const created = new Set(inputs.filter(input => marks[input] === LISTED));
  const turned = inputs.filter(input => marks[input] === TURNED);
  const errors = accepted ? partialErrors(answer.body) : refusalErrors(answer.body);
  // if there are errors, a result in the other direction proves less: an id without a side may mean that input
  if (errors.length === 0) for (const input of turned) created.add(input);
  if (accepted && created.size === inputs.length && errors.length === 0) return allCreated(inputs);

  const named = new Map<number, NamedInput>();
  const suspected = new Set<number>();
  const unlocated: Failure[] = [];
  const index = new InputIndex(columns, inputs, call.fromObjectType, call.toObjectType);
  for (const error of errors) {
    const failure = failureOfError(error, answer);
    const located = locate(error, index, input => created.has(input));
    if (located.kind === 'nobody') unlocated.push(failure);
    else if (located.kind === 'suspected') {
      unlocated.push(failure);
      for (const input of located.inputs) suspected.add(input);
    } else {
      // a wrong object pair is a fault of the request, whatever its category
      const everyone = located.kind === 'everyone';
      for (const input of everyone ? inputs.filter(one => !created.has(one)) : located.inputs)
        if (!named.has(input)) named.set(input, { input, failure, final: everyone || isFinalNamed(failure) });
    }
  }
  for (const input of turned) if (!suspected.has(input)) created.add(input);
  // an error that names a pair overrides a result for it: one of its types may have failed
  for (const input of named.keys()) created.delete(input);
  const others = inputs.filter(input => !created.has(input) && !named.has(input));
  const isSuspect = suspicionOf({ accepted, named: named.size, suspected });
  const suspects = others.filter(isSuspect);
  return {
    created: [...created],
    named: [...named.values()],
    rest: others.filter(input => !isSuspect(input)),
    suspects,
    allGuilty: accepted && suspects.length > 0 && unlocated.length >= suspects.length,
    isSilent: accepted && created.size === 0 && errors.length === 0,
    failure: unlocated[0] ?? noEffect(answer),
  };
}

const allCreated = (inputs: readonly number[]): Reconciled => ({
  created: inputs,
  named: [],
  rest: [],
  suspects: [],
  allGuilty: false,
  isSilent: false,
  failure: NOTHING_TO_SAY,
});

/** @returns which inputs, among those neither created nor named, are suspects */
function suspicionOf(found: {
  accepted: boolean;
  named: number;
  suspected: ReadonlySet<number>;
}): (input: number) => boolean {
  // accepted call: an input that appears nowhere is a suspect
  if (found.accepted) return () => true;
  // refused call, and the errors may mean some inputs
  if (found.suspected.size > 0) return input => found.suspected.has(input);
  // refused call: if the errors name the bad inputs, the others are sent again; if they name none, every input is a suspect
  return () => found.named === 0;
}

/** @returns the errors of an accepted call */
function partialErrors(body: unknown): HubSpotError[] {
  return errorsIn(body).flatMap(readError);
}

/** The body of a refusal is an error itself and may contain others. */
function refusalErrors(body: unknown): HubSpotError[] {
  return [...(isObject(body) ? readError(body) : []), ...partialErrors(body)];
}

/** Every field is optional in practice. Sentences in the context say which id or type is meant; each becomes an error. */
function readError(error: Readonly<Record<string, unknown>>): HubSpotError[] {
  const [category, subCategory, correlationId] = [error.category, error.subCategory, error.correlationId].map(
    word => (text(word) === undefined ? undefined : enteringWords(String(word), MAX_WORD)),
  );
  const message = text(error.message) ?? category ?? 'HubSpot gave no message';
  const whole: HubSpotError = {
    message,
    context: error.context,
    ...(category && { category }),
    ...(subCategory && { subCategory }),
    ...(correlationId && { correlationId }),
  };
  const sentences = ['INVALID_OBJECT_IDS', 'INVALID_ASSOCIATION_TYPE_ID'].flatMap(name => {
    const value = field(error.context, name);
    return (Array.isArray(value) ? value : [value]).flatMap(sentence => {
      const said = text(sentence);
      return said ? [{ ...whole, message: `${message}: ${said}`, context: { [name]: [said] } }] : [];
    });
  });
  return [...sentences, whole];
}

const NOTHING_TO_SAY: Failure = { at: '', message: '' };
