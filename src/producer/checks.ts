/** What is wrong with the options of the library. Pure. */
import { hubspotProblems } from '../labels/open-labels.js';
import { ConfigError } from '../shared/contract/errors.js';
import { DEFAULT_ACCOUNT, priorityProblem } from '../shared/contract/keys.js';
import { unknownOptions } from '../shared/contract/unknown-options.js';
import type {
  EnqueueManyOptions,
  EnqueueOptions,
  FollowRequestOptions,
  ManyRequestOptions,
  ProducerOptions,
  RequestOptions,
} from './api.js';
import type { QueuePlace } from './queue-place.js';
import { textProblem } from './text-problem.js';

type Names<Options> = { readonly [name in keyof Options]-?: true };
const namesOf = <Options>(names: Names<Options>): readonly string[] => Object.keys(names);

const PRODUCER_OPTIONS = namesOf<ProducerOptions>({
  ...{ redisUrl: true, connection: true, prefix: true, account: true, source: true, hubspot: true },
  ...{ maxUnacknowledged: true, requestRetentionDays: true, packMs: true, onWarning: true },
});
const ENQUEUE_OPTIONS = namesOf<EnqueueManyOptions>({ priority: true, request: true });
const REQUEST_OPTIONS = namesOf<RequestOptions>({ name: true });
const MANY_REQUEST_OPTIONS = namesOf<ManyRequestOptions>({ name: true, id: true, source: true });
const FOLLOW_OPTIONS = namesOf<FollowRequestOptions>({ signal: true });

/** @param place where the queue is, with its own problems */
export function optionProblems(options: ProducerOptions, place: Pick<QueuePlace, 'problems'>): string[] {
  const { maxUnacknowledged = 1, packMs = 0, source, account = DEFAULT_ACCOUNT, onWarning } = options;
  const problems: (string | undefined)[] = unknownOptions(options, PRODUCER_OPTIONS);
  problems.push(...place.problems);
  if (typeof account !== 'string' || !/^[\w.-]+$/.test(account))
    problems.push(`account: ${JSON.stringify(account)} is not a name (letters, digits, - _ .)`);
  if (source !== undefined) problems.push(textProblem('source', source));
  if (options.hubspot !== undefined) problems.push(...hubspotProblems(options.hubspot));
  if (!Number.isInteger(maxUnacknowledged) || maxUnacknowledged < 1)
    problems.push(`maxUnacknowledged: ${maxUnacknowledged} is not a positive integer`);
  const days = options.requestRetentionDays ?? 1;
  if (!Number.isInteger(days) || days < 1)
    problems.push(`requestRetentionDays: ${days} is not a positive integer`);
  if (!(packMs >= 0 && packMs <= 10_000)) problems.push(`packMs: ${packMs} is not between 0 and 10000`);
  if (onWarning !== undefined && typeof onWarning !== 'function')
    problems.push('onWarning is not a function');
  return problems.filter(problem => problem !== undefined);
}

/** @returns false for what JavaScript passes and no type allows, such as a URL in place of the options */
export const isOptions = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

/** @throws ConfigError */
export function check(...problems: (string | undefined)[]): void {
  const found = problems.filter(problem => problem !== undefined);
  if (found.length > 0) throw new ConfigError(found);
}

/** @throws ConfigError */
export function checkEnqueueOptions(options: EnqueueOptions): void {
  checkAll(options, REQUEST_OPTIONS);
}

/** @throws ConfigError */
export function checkEnqueueManyOptions(options: EnqueueManyOptions): void {
  checkAll(options, MANY_REQUEST_OPTIONS);
}

/** @throws ConfigError */
export function checkFollowOptions(options: FollowRequestOptions): void {
  check(...(isOptions(options) ? unknownOptions(options, FOLLOW_OPTIONS) : [NO_OPTIONS]));
}

const NO_OPTIONS = 'options: not an object of options';

function checkAll(options: EnqueueManyOptions, requestOptions: readonly string[]): void {
  if (!isOptions(options)) check(NO_OPTIONS);
  const { priority = 'normal', request } = options;
  check(
    ...unknownOptions(options, ENQUEUE_OPTIONS),
    priorityProblem(priority),
    ...(request === undefined ? [] : requestProblems(request, requestOptions)),
  );
}

function requestProblems(request: ManyRequestOptions, known: readonly string[]): (string | undefined)[] {
  if (!isOptions(request)) return ['request is not an object of options, such as { name }'];
  const { id, name, source } = request;
  return [
    ...unknownOptions(request, known, 'request.'),
    id === undefined || /^[\w.-]{1,100}$/.test(id)
      ? undefined
      : `request.id: ${JSON.stringify(id)} is not a text of 1 to 100 letters, digits, ".", "_" and "-"`,
    name === undefined ? undefined : textProblem('request.name', name),
    source === undefined ? undefined : textProblem('request.source', source),
  ];
}
