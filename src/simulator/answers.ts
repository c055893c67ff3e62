/**
 * The JSON of a batch/create call that was accepted, in part or as a whole. The code concatenates strings, because two
 * thousand results make a quarter of a megabyte, up to a hundred times a second.
 */
import type { Batch } from './batch.js';
import type { SimulatorOptions } from './options.js';
import { type Random, shuffle } from './random.js';
import { exactNumber } from './record-ids.js';
import type { InputError } from './rules.js';

type AnswerOptions = Pick<SimulatorOptions, 'numericIds' | 'shuffle' | 'statusDrift'>;

/**
 * @param reported indexes of the inputs that appear in `results`
 * @param startedAt epoch ms
 */
export function answerText(
  batch: Batch,
  reported: readonly number[],
  errors: readonly InputError[],
  options: AnswerOptions,
  startedAt: number,
  random: Random,
): string {
  const idText = options.numericIds ? numberOrText : quoted;
  const beforeFrom = `{"fromObjectTypeId":"${batch.fromType}","fromObjectId":`;
  const beforeTo = `,"toObjectTypeId":"${batch.toType}","toObjectId":`;
  const results: string[] = [];
  for (const index of reported) {
    const from = idText(batch.from[index] as string);
    const to = idText(batch.to[index] as string);
    results.push(`${beforeFrom}${from}${beforeTo}${to},"labels":[]}`);
  }
  if (options.shuffle) shuffle(results, random);
  const failed = errors.length > 0 ? `,"numErrors":${errors.length},"errors":${JSON.stringify(errors)}` : '';
  const started = new Date(startedAt).toISOString();
  const completed = new Date(Math.max(startedAt, Date.now())).toISOString();
  return `{"status":"COMPLETE","results":[${results.join(',')}]${failed},"startedAt":"${started}","completedAt":"${completed}"}`;
}

export function answerStatus(errors: readonly InputError[], version: string, options: AnswerOptions): number {
  if (options.statusDrift !== 0) return options.statusDrift;
  if (version === '2026-09') return 200;
  return errors.length > 0 ? 207 : 201;
}

const quoted = (id: string): string => JSON.stringify(id);

/** A JSON number if it represents the id exactly, otherwise a string. */
const numberOrText = (id: string): string => (exactNumber(id) === undefined ? quoted(id) : id);
