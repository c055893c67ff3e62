/**
 * The data of a job as it stands in Redis: text that anybody has written. Pure.
 *
 * Nearly all jobs differ in nothing but their pairs, whose ids are plain digits. What stands around the pairs is parsed
 * once for all jobs that say the same, and the ids are read as numbers, a tenth of what JSON.parse and a check by the
 * schema cost. Whatever is the least unusual is left to those two (docs/decisions/0015).
 */
import { type JobData, parseJobData } from './association.js';
import { readJson } from './json.js';

/** What a job says beside its pairs. */
export type JobHead = Omit<JobData, 'pairs' | 'errors' | 'progress' | 'rejected' | 'created'>;
/** @property ids from, to, from, to … */
export type PlainJob = { readonly head: JobHead; readonly ids: readonly number[] };

/** Pairs in a job's JSON: as many as arrays that follow one another, with or without white space. */
export function countPairs(json: string): number {
  let count = 1;
  for (let at = json.indexOf(']'); at >= 0; at = json.indexOf(']', at + 1)) {
    let next = at + 1;
    while (json[next] === ' ' || json[next] === ',' || json[next] === '\n') next += 1;
    if (json[next] === '[' && next > at + 1) count += 1;
  }
  return count;
}

/** Different heads that are remembered; each request to the gateway has its own. */
const HEADS_KEPT = 500;
/** Characters around the pairs. */
const LONGEST_HEAD = 2_000;
const KEY = '"pairs"';

export class PlainJobReader {
  readonly #heads = new Map<string, JobHead | undefined>();

  /** Undefined: it is no plain job at its first attempt, and JSON.parse has to tell what it is. */
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

/** What stands in the place of the pairs: no job has that. */
const NO_PAIRS = 0;

/** Undefined where the pairs that were cut out may be somebody else's, or there is a history to be kept. */
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
/** Every integer of so many digits is a number without loss. */
const MOST_DIGITS = 15;

/**
 * Reads `[["1","2"],["3","4"]]` at `start` into 1, 2, 3, 4.
 * @returns where it ends; -1: it is something else, or an id is no number without loss
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

/** @returns where the next word begins; -1: it is no id of plain digits */
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
