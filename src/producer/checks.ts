/** What is wrong with the options of the library. Pure. */
import { hubspotProblems } from '../labels/open-labels.js';
import { ConfigError } from '../shared/contract/errors.js';
import { DEFAULT_ACCOUNT } from '../shared/contract/keys.js';
import { redisUrlFault } from '../shared/runtime/redis-url.js';
import type { ManyRequestOptions, ProducerOptions } from './api.js';
import { textProblem } from './text-problem.js';

export function optionProblems(options: ProducerOptions): string[] {
  const problems: (string | undefined)[] = [];
  const { maxUnacknowledged = 1, packMs = 0, source, prefix = 'bull', account = DEFAULT_ACCOUNT } = options;
  const badUrl = redisUrlFault(options.redisUrl);
  if (badUrl) problems.push(`redisUrl ${badUrl}`);
  if (prefix === '') problems.push('prefix is empty');
  if (!/^[\w.-]+$/.test(account))
    problems.push(`account: ${JSON.stringify(account)} is not a name (letters, digits, - _ .)`);
  if (source !== undefined) problems.push(textProblem('source', source));
  if (options.hubspot !== undefined) problems.push(...hubspotProblems(options.hubspot));
  if (!Number.isInteger(maxUnacknowledged) || maxUnacknowledged < 1)
    problems.push(`maxUnacknowledged: ${maxUnacknowledged} is not a positive integer`);
  const days = options.requestRetentionDays ?? 1;
  if (!Number.isInteger(days) || days < 1)
    problems.push(`requestRetentionDays: ${days} is not a positive integer`);
  if (!(packMs >= 0 && packMs <= 10_000)) problems.push(`packMs: ${packMs} is not between 0 and 10000`);
  return problems.filter(problem => problem !== undefined);
}

/** @throws ConfigError */
export function check(...problems: (string | undefined)[]): void {
  const found = problems.filter(problem => problem !== undefined);
  if (found.length > 0) throw new ConfigError(found);
}

export function requestProblems({
  id,
  name,
  source,
}: { [field in keyof ManyRequestOptions]: ManyRequestOptions[field] | undefined }): (string | undefined)[] {
  return [
    id === undefined || /^[\w.-]{1,100}$/.test(id)
      ? undefined
      : `request.id: ${JSON.stringify(id)} is not a text of 1 to 100 letters, digits, ".", "_" and "-"`,
    name === undefined ? undefined : textProblem('request.name', name),
    source === undefined ? undefined : textProblem('request.source', source),
  ];
}
