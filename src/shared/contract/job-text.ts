/**
 * Reads the data of a job as stored in Redis: text that any client may have written. Pure.
 *
 * Nearly all jobs differ only in their pairs, whose ids are plain digits. The text around the pairs is parsed once for all
 * jobs that have the same, and the ids are read as numbers: that takes a tenth of the time of JSON.parse and a schema
 * check. Both of these read every other job (docs/decisions/0015).
 */
import { type JobData, parseJobData } from './association.js';
import { readJson } from './json.js';

/** The data of a job without its pairs and their history. */
export type JobHead = Omit<JobData, 'pairs' | 'errors' | 'progress' | 'rejected' | 'created'>;
/** @property ids from, to, from, to … */
export type PlainJob = { readonly head: JobHead; readonly ids: readonly number[] };

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

export class PlainJobReader {
  readonly #heads = new Map<string, JobHead | undefined>();

  /** @returns undefined if the job is not plain or not at its first attempt; JSON.parse must read it */
  read(json: string): PlainJob | undefined {
    const key = json.indexOf(KEY);
    if (key < 0) return undefined;
    const colon = afterSpace(json, key + KEY.length);
    if (json[colon] !== ':') return undefined;
    const open = afterSpace(json, colon + 1);
    const ids: number[] = [];
    const end = scanPairs(json, open, ids);
    if (end < 0 || json.length - (end - open) > LONGEST_HEAD) return undefined;
    const head = this.#head(`${json.slice(0, open)}${NO_PAIRS}${json.slice(end)}`);
    return head && { head, ids };
  }

  #head(json: string): JobHead | undefined {
    if (this.#heads.has(json)) return this.#heads.get(json);
    if (this.#heads.size >= HEADS_KEPT) this.#heads.clear();
    const head = readHead(json);
    this.#heads.set(json, head);
    return head;
  }
}

/** Placeholder for the pairs in a head; no valid job contains it. */
const NO_PAIRS = 0;

/** @returns undefined if the removed text may not be the job's pairs, or if the job has a history to keep */
function readHead(json: string): JobHead | undefined {
  if (json.includes('\\') || json.indexOf(KEY) !== json.lastIndexOf(KEY)) return undefined;
  const found = readJson(json) as { pairs?: unknown } | null | undefined;
  if (found?.pairs !== NO_PAIRS) return undefined;
  const checked = parseJobData({ ...found, pairs: [] });
  if (!checked.ok) return undefined;
  const { pairs: _none, errors, progress, rejected, created, ...head } = checked.data;
  return [errors, progress, rejected, created].every(history => history === undefined) ? head : undefined;
}

const [SPACE, TAB, LINE_FEED, RETURN] = [32, 9, 10, 13];
const [QUOTE, COMMA, OPEN, CLOSE, ZERO, NINE] = [34, 44, 91, 93, 48, 57];
/** Every integer with at most this many digits is an exact number. */
const MOST_DIGITS = 15;

/**
 * Reads `[["1","2"],["3","4"]]` at `start` into 1, 2, 3, 4.
 * @returns the index after the list; -1 if it is something else, or if an id is not an exact number
 */
function scanPairs(json: string, start: number, ids: number[]): number {
  if (json.charCodeAt(start) !== OPEN) return -1;
  let at = start;
  do {
    at = afterSpace(json, at + 1);
    if (json.charCodeAt(at) !== OPEN) return -1;
    at = scanId(json, afterSpace(json, at + 1), ids);
    if (json.charCodeAt(at) !== COMMA) return -1;
    at = scanId(json, afterSpace(json, at + 1), ids);
    if (json.charCodeAt(at) !== CLOSE) return -1;
    at = afterSpace(json, at + 1);
  } while (json.charCodeAt(at) === COMMA);
  return json.charCodeAt(at) === CLOSE ? at + 1 : -1;
}

/** @returns the index after the id; -1 if it is not an id of plain digits */
function scanId(json: string, start: number, ids: number[]): number {
  if (json.charCodeAt(start) !== QUOTE) return -1;
  const first = start + 1;
  let at = first;
  let id = 0;
  let code = json.charCodeAt(at);
  while (code >= ZERO && code <= NINE) {
    id = id * 10 + code - ZERO;
    code = json.charCodeAt(++at);
  }
  if (code !== QUOTE || at === first || at - first > MOST_DIGITS) return -1;
  ids.push(id);
  return afterSpace(json, at + 1);
}

function afterSpace(json: string, start: number): number {
  let at = start;
  for (let code = json.charCodeAt(at); ; code = json.charCodeAt(++at))
    if (code !== SPACE && code !== LINE_FEED && code !== RETURN && code !== TAB) return at;
}
