/**
 * Groups similar rejections: same category, same object pair, same words apart from the ids in them. Pure.
 * The index in Redis (rejections.lua) and the operator's commands use these groups.
 */
import { createHash } from 'node:crypto';
import type { ErrorContext, JobData, Pair } from '../contract/association.js';
import { enteringWords } from '../runtime/text.js';

/** Category of a job that no version of the schema accepts; its associations cannot be counted. */
export const INVALID_JOB = 'INVALID_JOB';
/** Category of associations without a decision: the job failed for another reason than HubSpot's answer. */
export const UNFINISHED = 'UNFINISHED';

/** The rejections of one group in one job, in the form that rejections.lua expects. */
export type IndexedRejection = {
  id: string;
  associations: number;
  /** epoch ms */
  first: number;
  last: number;
  /** field, value, …: the common fields of the group, and an example */
  fields: string[];
};

type Rejection = { category: string; error: ErrorContext; pairs: readonly Pair[] };

/** HubSpot's category; without one, the HTTP status; without an answer, a text that says so. */
export const categoryOf = (error: ErrorContext): string =>
  error.category ?? (error.httpStatus === undefined ? 'NO_ANSWER' : `HTTP_${error.httpStatus}`);

/** `No contact with ID 101 exists` and `… 102 …` become one text; so do lists of ids of any length, and UUIDs. */
export function withoutIds(message: string): string {
  return message
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '…')
    .replace(/\d+/g, '…')
    .replace(/…(?:\s*[,;-]\s*…)+/g, '…');
}

/** The time of the error; the job's time if the error has no readable time. Epoch ms. */
export function seenAt(error: ErrorContext, otherwise: number): number {
  const at = Date.parse(error.at);
  return Number.isNaN(at) ? otherwise : at;
}

/** @returns the rejections in a job's data, for the index. Removes non-numeric ids (`not-an-id`) from the words as well. */
export const indexedRejections = (jobId: string, data: JobData, now: number): IndexedRejection[] =>
  indexRejections(
    jobId,
    data,
    (data.rejected ?? []).map(({ error, pairs }) => ({ category: categoryOf(error), error, pairs })),
    now,
  );

export function indexRejections(
  jobId: string,
  objectPair: { fromObjectType: string; toObjectType: string },
  rejections: readonly Rejection[],
  now: number,
): IndexedRejection[] {
  const groups = new Map<string, IndexedRejection>();
  const { fromObjectType: from, toObjectType: to } = objectPair;
  for (const { category, error, pairs } of rejections) {
    const message = wordsOf(error, pairs);
    const id = groupId([category, from, to, message]);
    const at = seenAt(error, now);
    const known = groups.get(id);
    if (known) {
      known.associations += pairs.length;
      known.first = Math.min(known.first, at);
      known.last = Math.max(known.last, at);
      continue;
    }
    const example = JSON.stringify({ jobId, ...(pairs[0] && { pair: pairs[0] }), error: brief(error) });
    const fields = ['category', category, 'message', message, 'from', from, 'to', to, 'example', example];
    groups.set(id, { id, associations: pairs.length, first: at, last: at, fields });
  }
  return [...groups.values()];
}

/** Arguments for a script: the number of groups, then the values that rejections.lua reads for each. */
export const rejectionArgs = (groups: readonly IndexedRejection[]): (string | number)[] => [
  groups.length,
  ...groups.flatMap(({ id, associations, first, last, fields }) => [
    ...[id, associations, first, last],
    ...fields,
  ]),
];

/**
 * Arguments for a script: how the reasons of a request change when a job's rejections change; then the values that
 * count-request.lua reads for each group.
 */
export function reasonArgs(
  now: readonly IndexedRejection[],
  before: readonly IndexedRejection[] = [],
): (string | number)[] {
  const changes = new Map<string, { by: number; about: string }>();
  for (const [groups, sign] of [[now, 1] as const, [before, -1] as const])
    for (const { id, associations, fields } of groups) {
      const change = changes.get(id) ?? { by: 0, about: aboutOf(fields) };
      changes.set(id, { ...change, by: change.by + sign * associations });
    }
  const changed = [...changes].filter(([, { by }]) => by !== 0);
  return [changed.length, ...changed.flatMap(([id, { by, about }]) => [id, by, about])];
}

/** Category, message and object pair of a group, as JSON. @param fields of the group, the example last */
function aboutOf(fields: readonly string[]): string {
  const about: Record<string, string> = {};
  for (let at = 0; at + 3 < fields.length; at += 2) about[fields[at] ?? ''] = fields[at + 1] ?? '';
  return JSON.stringify(about);
}

/** The words that are the same in the whole group: the message without the parts that differ between associations. */
export const wordsOf = (error: ErrorContext, pairs: readonly Pair[]): string =>
  enteringWords(withoutIds(withoutNames(error.message.slice(0, LONGEST_READ), pairs)), MAX_WORDS);

/** @param parts category, from type, to type, words */
const groupId = (parts: readonly string[]): string =>
  createHash('sha1').update(parts.join('\n')).digest('base64url').slice(0, 16);

const MAX_WORDS = 500;
/** Longest message that is processed. HubSpot's messages are shorter; another client may write longer ones. */
const LONGEST_READ = 10_000;
/** Number of pairs whose ids are searched in the message. An error for more pairs does not name them all. */
const PAIRS_NAMED = 20;

function withoutNames(message: string, pairs: readonly Pair[]): string {
  let words = message;
  for (const id of pairs.slice(0, PAIRS_NAMED).flat())
    if (id.length > 2 && /\D/.test(id)) words = words.replaceAll(id, '…');
  return words;
}

const brief = (error: ErrorContext): ErrorContext =>
  error.message.length > MAX_WORDS ? { ...error, message: enteringWords(error.message, MAX_WORDS) } : error;
