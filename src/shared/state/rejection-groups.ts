/**
 * Rejections that a person would call the same: one category, one object pair, the same words whatever the ids in them.
 * Pure. The index in Redis (rejections.lua) and the lists of the operator's commands go by it.
 */
import { createHash } from 'node:crypto';
import type { ErrorContext, JobData, Pair } from '../contract/association.js';
import { enteringWords } from '../runtime/text.js';

/** A job that no version of the schema accepts; there are no associations to count in it. */
export const INVALID_JOB = 'INVALID_JOB';
/** Associations that were never decided: the job failed for another reason than HubSpot's answer. */
export const UNFINISHED = 'UNFINISHED';

/** What a job holds of one group, as rejections.lua wants it. */
export type IndexedRejection = {
  id: string;
  associations: number;
  /** epoch ms */
  first: number;
  last: number;
  /** field, value, …: what all of the group have in common, and an example */
  fields: string[];
};

type Rejection = { category: string; error: ErrorContext; pairs: readonly Pair[] };

/** HubSpot's word; where an answer had none, its status; where there was no answer, so much. */
export const categoryOf = (error: ErrorContext): string =>
  error.category ?? (error.httpStatus === undefined ? 'NO_ANSWER' : `HTTP_${error.httpStatus}`);

/** `No contact with ID 101 exists` and `… 102 …` become one text; so do lists of ids of any length, and UUIDs. */
export function withoutIds(message: string): string {
  return message
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '…')
    .replace(/\d+/g, '…')
    .replace(/…(?:\s*[,;-]\s*…)+/g, '…');
}

/** The error's own time; the job's where it has none that can be read. Epoch ms. */
export function seenAt(error: ErrorContext, otherwise: number): number {
  const at = Date.parse(error.at);
  return Number.isNaN(at) ? otherwise : at;
}

/** The rejections that a job's data holds, for the index. Ids that are no numbers (`not-an-id`) are left out of the words too. */
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

/** As a script takes them: how many, then all that rejections.lua reads of each. */
export const rejectionArgs = (groups: readonly IndexedRejection[]): (string | number)[] => [
  groups.length,
  ...groups.flatMap(({ id, associations, first, last, fields }) => [
    ...[id, associations, first, last],
    ...fields,
  ]),
];

/** What is the same in all of a group: the error's words without what differs from association to association. */
export const wordsOf = (error: ErrorContext, pairs: readonly Pair[]): string =>
  enteringWords(withoutIds(withoutNames(error.message.slice(0, LONGEST_READ), pairs)), MAX_WORDS);

/** @param parts category, from type, to type, words */
const groupId = (parts: readonly string[]): string =>
  createHash('sha1').update(parts.join('\n')).digest('base64url').slice(0, 16);

const MAX_WORDS = 500;
/** Of a message that somebody wrote into a job: HubSpot's are shorter. */
const LONGEST_READ = 10_000;
/** The pairs of a rejection whose ids are looked for in its words: an error that speaks of more does not name them all. */
const PAIRS_NAMED = 20;

function withoutNames(message: string, pairs: readonly Pair[]): string {
  let words = message;
  for (const id of pairs.slice(0, PAIRS_NAMED).flat())
    if (id.length > 2 && /\D/.test(id)) words = words.replaceAll(id, '…');
  return words;
}

const brief = (error: ErrorContext): ErrorContext =>
  error.message.length > MAX_WORDS ? { ...error, message: enteringWords(error.message, MAX_WORDS) } : error;
