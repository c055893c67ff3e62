/**
 * Reads the data of a job as stored in Redis: text that any client may have written. Pure.
 *
 * There are two readers and one result. Nearly all jobs differ only in their pairs: the fast reader parses the text around
 * the pairs once for all jobs that have the same, and scans the ids, which takes a tenth of the time of JSON.parse and a
 * schema check. Both of these read every other job (docs/decisions/0028).
 */
import type { JobData } from './association.js';
import { parseJobData } from './job-schema.js';
import { readJson } from './json.js';
import { Pairs } from './pairs.js';
import { isCanonical, isRecordId, LONGEST_ID, MOST_DIGITS } from './record-id.js';

/** What workers and cancels have written into a job: the outcome of earlier attempts. */
export type JobHistory = Pick<JobData, 'errors' | 'progress' | 'rejected' | 'created' | 'cancelled'>;
/** The data of a job without its pairs and their history. Unknown fields are kept. */
export type JobHead = Omit<JobData, 'pairs' | keyof JobHistory>;
export type ReadJob = { readonly head: JobHead; readonly pairs: Pairs; readonly history: JobHistory };

/** Counts the pairs in a job's JSON: the arrays that follow one another, with or without white space. */
export function countPairs(json: string): number {
  let count = 1;
  for (let at = json.indexOf(']'); at >= 0; at = json.indexOf(']', at + 1)) {
    let next = at + 1;
    while (json[next] === ' ' || json[next] === ',' || json[next] === '\n') next += 1;
    if (json[next] === '[' && next > at + 1) count += 1;
  }
  return count;
}

/** Most heads that are cached; each request to the gateway has its own head. */
const HEADS_KEPT = 500;
/** Longest cached text around the pairs, in characters. */
const LONGEST_HEAD = 2_000;
const KEY = '"pairs"';
const NO_HISTORY: JobHistory = {};

export class JobReader {
  readonly #heads = new Map<string, JobHead | undefined>();

  /** @returns the job, or every fault with its place */
  read(json: string): ReadJob | { readonly faults: readonly string[] } {
    return this.scan(json) ?? parse(json);
  }

  /** The fast reader. @returns undefined if the text is unusual; JSON.parse must read it */
  scan(json: string): ReadJob | undefined {
    const key = json.indexOf(KEY);
    if (key < 0) return undefined;
    const colon = afterSpace(json, key + KEY.length);
    if (json[colon] !== ':') return undefined;
    const open = afterSpace(json, colon + 1);
    const ids: number[] = [];
    const texts: string[] = [];
    const end = scanPairs(json, open, ids, texts);
    if (end < 0 || json.length - (end - open) > LONGEST_HEAD) return undefined;
    const head = this.#head(`${json.slice(0, open)}${NO_PAIRS}${json.slice(end)}`);
    if (!head) return undefined;
    // An array that grew has space for 17 ids or more, and a job of one association keeps two of them for a whole call.
    const exact = ids.slice();
    return {
      head,
      pairs: texts.length > 0 ? new Pairs(exact, texts) : new Pairs(exact),
      history: NO_HISTORY,
    };
  }

  #head(json: string): JobHead | undefined {
    if (this.#heads.has(json)) return this.#heads.get(json);
    if (this.#heads.size >= HEADS_KEPT) this.#heads.clear();
    const head = readHead(json);
    this.#heads.set(json, head);
    return head;
  }
}

/** The other reader. */
function parse(json: string): ReadJob | { readonly faults: readonly string[] } {
  const checked = parseJobData(readJson(json));
  if (!checked.ok) return { faults: checked.faults };
  const { pairs, errors, progress, rejected, created, cancelled, ...head } = checked.data;
  const history = {
    ...(errors && { errors }),
    ...(progress && { progress }),
    ...(rejected && { rejected }),
    ...(created !== undefined && { created }),
    ...(cancelled !== undefined && { cancelled }),
  };
  return { head, pairs: Pairs.of(pairs), history };
}

/** Replaces the pairs; no valid job has it. */
const NO_PAIRS = 0;

/** @returns undefined if the pairs that were cut out may belong to another field, or the job has a history */
function readHead(json: string): JobHead | undefined {
  if (json.includes('\\') || json.indexOf(KEY) !== json.lastIndexOf(KEY)) return undefined;
  const found = readJson(json) as { pairs?: unknown } | null | undefined;
  if (found?.pairs !== NO_PAIRS) return undefined;
  const checked = parseJobData({ ...found, pairs: [] });
  if (!checked.ok) return undefined;
  const { pairs: _none, errors, progress, rejected, created, cancelled, ...head } = checked.data;
  const history = [errors, progress, rejected, created, cancelled];
  return history.every(each => each === undefined) ? head : undefined;
}

const [SPACE, TAB, LINE_FEED, RETURN] = [32, 9, 10, 13];
const [QUOTE, COMMA, OPEN, CLOSE, ZERO, NINE, BACKSLASH, TILDE] = [34, 44, 91, 93, 48, 57, 92, 126];

/**
 * Reads `[["1","2"],[3,"x"]]` at `start` into 1, 2, 3, -1 and the text x.
 * @returns where the list ends; -1 if the text is anything else
 */
function scanPairs(json: string, start: number, ids: number[], texts: string[]): number {
  if (json.charCodeAt(start) !== OPEN) return -1;
  let at = start;
  do {
    at = afterSpace(json, at + 1);
    if (json.charCodeAt(at) !== OPEN) return -1;
    at = scanId(json, afterSpace(json, at + 1), ids, texts);
    if (json.charCodeAt(at) !== COMMA) return -1;
    at = scanId(json, afterSpace(json, at + 1), ids, texts);
    if (json.charCodeAt(at) !== CLOSE) return -1;
    at = afterSpace(json, at + 1);
  } while (json.charCodeAt(at) === COMMA);
  return json.charCodeAt(at) === CLOSE ? at + 1 : -1;
}

/** @returns where the next token begins; -1 if this is no id, or JSON.parse must read it */
function scanId(json: string, start: number, ids: number[], texts: string[]): number {
  if (json.charCodeAt(start) !== QUOTE) return scanNumber(json, start, ids);
  const first = start + 1;
  let at = first;
  let id = 0;
  let code = json.charCodeAt(at);
  while (code >= ZERO && code <= NINE) {
    id = id * 10 + code - ZERO;
    code = json.charCodeAt(++at);
  }
  if (code !== QUOTE || at === first || at - first > MOST_DIGITS)
    return scanOddId(json, first, at, ids, texts);
  ids.push(id);
  return afterSpace(json, at + 1);
}

/** An id without quotes. */
function scanNumber(json: string, first: number, ids: number[]): number {
  let at = first;
  let id = 0;
  for (let code = json.charCodeAt(at); code >= ZERO && code <= NINE; code = json.charCodeAt(++at))
    id = id * 10 + code - ZERO;
  const digits = at - first;
  if (digits === 0 || digits > MOST_DIGITS) return -1;
  if (digits > 1 && json.charCodeAt(first) === ZERO) return -1; // no JSON number has leading zeros
  ids.push(id);
  return afterSpace(json, at);
}

/**
 * @param first position of the first character after the quote
 * @param rest position after the digits with which the id begins
 */
function scanOddId(json: string, first: number, rest: number, ids: number[], texts: string[]): number {
  let end = rest;
  let isAscii = true;
  for (let code = json.charCodeAt(end); code !== QUOTE; code = json.charCodeAt(++end)) {
    if (code === BACKSLASH || Number.isNaN(code)) return -1;
    if (code <= SPACE || code > TILDE) isAscii = false;
  }
  const text = json.slice(first, end);
  // every printable ASCII character may be part of an id
  const isId = isAscii ? end > first && end - first <= LONGEST_ID : isRecordId(text);
  if (!isId || (end === rest && !isCanonical(text))) return -1;
  ids.push(-texts.push(text));
  return afterSpace(json, end + 1);
}

function afterSpace(json: string, start: number): number {
  let at = start;
  for (let code = json.charCodeAt(at); ; code = json.charCodeAt(++at))
    if (code !== SPACE && code !== LINE_FEED && code !== RETURN && code !== TAB) return at;
}
