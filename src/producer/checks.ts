/** What is wrong with the options of the library. Pure. */
import { hubspotProblems } from '../labels/open-labels.js';
import { optionFaults } from '../shared/contract/did-you-mean.js';
import { ConfigError } from '../shared/contract/errors.js';
import { DEFAULT_ACCOUNT, priorityProblem } from '../shared/contract/keys.js';
import type {
  EnqueueManyOptions,
  EnqueueOptions,
  FollowOptions,
  ManyRequestOptions,
  ProducerOptions,
  RequestOptions,
} from './api.js';
import type { QueuePlace } from './queue-place.js';
import { textProblem } from './text-problem.js';

/** Every option of one call or object. */
type AllOf<Options> = { readonly [name in keyof Required<Options>]: true };
const PRODUCER: AllOf<ProducerOptions> = {
  ...{
    redisUrl: true,
    redisLogin: true,
    connection: true,
    prefix: true,
    account: true,
    source: true,
    hubspot: true,
  },
  ...{
    waitReplicas: true,
    maxUnacknowledged: true,
    requestRetentionDays: true,
    packMs: true,
    onWarning: true,
  },
};
const ENQUEUE: AllOf<EnqueueOptions> & AllOf<EnqueueManyOptions> = { priority: true, request: true };
const REQUEST: AllOf<RequestOptions> = { name: true };
const MANY_REQUEST: AllOf<ManyRequestOptions> = { name: true, id: true, source: true };
const FOLLOW: AllOf<FollowOptions> = { signal: true };

/** @param placeOf where the queue is; its problems are among those of the options */
export function optionProblems(
  options: ProducerOptions,
  placeOf: (options: ProducerOptions) => Pick<QueuePlace, 'problems'>,
): string[] {
  const problems: (string | undefined)[] = optionFaults(options, PRODUCER);
  if (typeof options !== 'object' || options === null) return problems.filter(isThere);
  problems.push(...placeOf(options).problems);
  const { maxUnacknowledged = 1, packMs = 0, source, account = DEFAULT_ACCOUNT, onWarning } = options;
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
  return problems.filter(isThere);
}

const isThere = (problem: string | undefined): problem is string => problem !== undefined;

/** What is wrong with the options of `enqueue`. */
export function enqueueProblems(options: EnqueueOptions): (string | undefined)[] {
  const { priority = 'normal', request } = options ?? {};
  return [...optionFaults(options, ENQUEUE), priorityProblem(priority), ...requestProblems(request, REQUEST)];
}

/** What is wrong with the input of `enqueueMany` as a whole, and with its options. */
export function enqueueManyProblems(items: unknown, options: EnqueueManyOptions): (string | undefined)[] {
  const { priority = 'normal', request } = options ?? {};
  return [
    isIterable(items) ? undefined : 'the items are neither an iterable nor an async iterable',
    ...optionFaults(options, ENQUEUE),
    priorityProblem(priority),
    ...requestProblems(request, MANY_REQUEST),
  ];
}

const isIterable = (items: unknown): boolean =>
  typeof items === 'object' && items !== null && (Symbol.iterator in items || Symbol.asyncIterator in items);

/** What is wrong with the options of `waitFor` and `cancel`. */
export const followProblems = (options: FollowOptions): string[] => optionFaults(options, FOLLOW);

/** @throws ConfigError */
export function check(...problems: (string | undefined)[]): void {
  const found = problems.filter(isThere);
  if (found.length > 0) throw new ConfigError(found);
}

function requestProblems(
  request: ManyRequestOptions | undefined,
  known: Readonly<Record<string, true>>,
): (string | undefined)[] {
  if (request === undefined) return [];
  const faults = optionFaults(request, known, 'request.');
  if (typeof request !== 'object' || request === null) return faults;
  const { id, name, source } = request;
  return [
    ...faults,
    id === undefined || /^[\w.-]{1,100}$/.test(id)
      ? undefined
      : `request.id: ${JSON.stringify(id)} is not a text of 1 to 100 letters, digits, ".", "_" and "-"`,
    name === undefined ? undefined : textProblem('request.name', name),
    source === undefined ? undefined : textProblem('request.source', source),
  ];
}
