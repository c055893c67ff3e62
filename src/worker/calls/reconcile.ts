/**
 * Reconciliation: an answer × the inputs of its call → what became of each input. Pure.
 *
 * Results are matched by record pair, never by position; ids may come back as strings or numbers; extras are ignored.
 * An input that is mentioned nowhere is never taken for created. The counts always add up:
 * created + named + rest + suspects = inputs.
 */
import { type Answer, field, isFinalNamed, isObject, text, whyOf } from '../../hubspot/classify.js';
import { enteringWords } from '../../shared/runtime/text.js';
import type { Columns } from '../batches/columns.js';
import type { Failure } from '../batches/outcome.js';
import { type HubSpotError, InputIndex, locate } from './locate.js';
import { errorsIn, LISTED, matchResults, TURNED } from './results.js';

export type NamedInput = { readonly input: number; readonly failure: Failure; readonly final: boolean };

/** Inputs are indexes into the columns of the batch. */
export type Reconciled = {
  readonly created: readonly number[];
  /** an error leaves no doubt that it means them */
  readonly named: readonly NamedInput[];
  /** innocents of a refused call: to be sent again at once */
  readonly rest: readonly number[];
  /** one or more of them are at fault or had no effect; nobody said which */
  readonly suspects: readonly number[];
  /** there are as many errors as suspects: each of them is at fault, halving would find nobody innocent */
  readonly allGuilty: boolean;
  /** the call was accepted, and mentions nobody */
  readonly isSilent: boolean;
  /** the words for the suspects */
  readonly failure: Failure;
};

type Call = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly columns: Columns;
  /** those of the columns that were sent */
  readonly inputs: readonly number[];
};

/** @param accepted whether the call as a whole was accepted (2xx) or refused (4xx) */
export function reconcile(answer: Answer & { kind: 'answer' }, accepted: boolean, call: Call): Reconciled {
  const { columns, inputs } = call;
  if (accepted && answer.listsAll) return allCreated(inputs);
  const marks = accepted ? matchResults(answer.body, columns, inputs) : new Uint8Array(columns.size);
  const created = new Set(inputs.filter(input => marks[input] === LISTED));
  const turned = inputs.filter(input => marks[input] === TURNED);
  const errors = accepted ? partialErrors(answer.body) : refusalErrors(answer.body);
  // beside errors a result the other way round proves less: an id without its side may mean that input all the same
  if (errors.length === 0) for (const input of turned) created.add(input);
  if (accepted && created.size === inputs.length && errors.length === 0) return allCreated(inputs);

  const named = new Map<number, NamedInput>();
  const suspected = new Set<number>();
  const unlocated: Failure[] = [];
  const index = new InputIndex(columns, inputs, call.fromObjectType, call.toObjectType);
  for (const error of errors) {
    const failure = failureOf(error, answer);
    const located = locate(error, index, input => created.has(input));
    if (located.kind === 'nobody') unlocated.push(failure);
    else if (located.kind === 'suspected') {
      unlocated.push(failure);
      for (const input of located.inputs) suspected.add(input);
    } else {
      // a wrong object pair is a fault of the request, whatever category it comes under
      const everyone = located.kind === 'everyone';
      for (const input of everyone ? inputs.filter(one => !created.has(one)) : located.inputs)
        if (!named.has(input)) named.set(input, { input, failure, final: everyone || isFinalNamed(failure) });
    }
  }
  for (const input of turned) if (!suspected.has(input)) created.add(input);
  // an error that names a pair outright outweighs a result for it: one of its types may have failed
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

/** Which of the inputs that are neither created nor named are under suspicion. */
function suspicionOf(found: {
  accepted: boolean;
  named: number;
  suspected: ReadonlySet<number>;
}): (input: number) => boolean {
  // accepted: mentioned nowhere is unaccounted for
  if (found.accepted) return () => true;
  // refused, and some could be meant
  if (found.suspected.size > 0) return input => found.suspected.has(input);
  // refused, and the guilty are known: the others go again. Or nobody is: it can be any of them
  return () => found.named === 0;
}

/** The errors beside the results of an accepted call. */
function partialErrors(body: unknown): HubSpotError[] {
  return errorsIn(body).flatMap(readError);
}

/** The body of a refusal is an error itself and may hold others. */
function refusalErrors(body: unknown): HubSpotError[] {
  return [...(isObject(body) ? readError(body) : []), ...partialErrors(body)];
}

/** Every field is optional in practice. Sentences in the context say which id or type is meant: each becomes an error. */
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

function failureOf(error: HubSpotError, answer: Answer & { kind: 'answer' }): Failure {
  const correlationId = error.correlationId ?? answer.correlationId;
  return {
    at: answer.at,
    httpStatus: answer.status,
    ...(error.category && { category: error.category }),
    ...(error.subCategory && { subCategory: error.subCategory }),
    message: shorten(error.message + whyOf(error)),
    ...(correlationId && { correlationId }),
  };
}

export const NO_EFFECT = 'NO_EFFECT';
const noEffect = (answer: Answer & { kind: 'answer' }): Failure => ({
  at: answer.at,
  httpStatus: answer.status,
  category: NO_EFFECT,
  ...(answer.correlationId && { correlationId: answer.correlationId }),
  message: `accepted without effect: HubSpot answered ${answer.status} and mentioned this association neither in results nor in errors`,
});
const NOTHING_TO_SAY: Failure = { at: '', message: '' };

/** A message travels with every job it concerns. */
const MAX_MESSAGE = 500;
export const shorten = (message: string): string => enteringWords(message, MAX_MESSAGE);
/** Categories and ids are short; one that is not must not swell jobs. */
export const MAX_WORD = 100;
