/**
 * `npm run bench [-- --quick] [--only throughput,latency [--write]] [--profile DIR]`
 * Measures all questions in turn, in one run. A complete run writes bench/RESULTS.md, also if a question fails (it is marked).
 * With --write a partial run writes it as well and names the questions that it left out.
 * Exit code 1 if a goal was missed or a question failed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { messageOf } from '../src/shared/contract/errors.js';
import { enqueue } from './enqueue.js';
import { gateway } from './gateway.js';
import { growth } from './growth.js';
import { latency } from './latency.js';
import { memory } from './memory.js';
import { quality } from './quality.js';
import { quota } from './quota.js';
import { replicas } from './replicas.js';
import { atEnd, cleanUp, isEnding } from './support/cleanup.js';
import { removeKeys } from './support/keys.js';
import { machine } from './support/machine.js';
import { RESULTS } from './support/paths.js';
import { type Answered, results } from './support/results.js';
import { isReached, median, type Options, type Question, type Row } from './support/row.js';
import { table, withUnit } from './support/text.js';
import { throughput } from './throughput.js';

const QUESTIONS: Readonly<Record<string, Question>> = {
  throughput,
  enqueue,
  memory,
  latency,
  quality,
  growth,
  quota,
  replicas,
  gateway,
};

/** Most characters of a failure's message in RESULTS.md. */
const MOST_OF_A_FAILURE = 2_000;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const names = flags.only?.split(',') ?? Object.keys(QUESTIONS);
const unknown = names.filter(name => !(name in QUESTIONS));
const redisUrl = process.env.REDIS_URL ?? '';
if (unknown.length > 0 || redisUrl === '') {
  const known = Object.keys(QUESTIONS).join(', ');
  console.error(redisUrl ? `no question ${unknown.join(', ')}; there are ${known}` : 'use: npm run bench');
  process.exit(2);
}
if (flags.profile) mkdirSync(flags.profile, { recursive: true });

const since = performance.now();
const elapsed = () => `${Math.round((performance.now() - since) / 1_000)} s`;
const options: Options = {
  redisUrl,
  quick: flags.quick,
  profileDir: flags.profile && path.resolve(flags.profile),
  say: line => console.log(`  ${elapsed().padStart(6)}  ${line}`),
};

atEnd(async () => {
  const redis = new Redis(redisUrl);
  await removeKeys(redis);
  redis.disconnect();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (isEnding()) process.exit(130); // second signal: end at once
    console.error('\ncleaning up; once more to end at once');
    void cleanUp().then(() => process.exit(130));
  });

const questions = names.flatMap(name => QUESTIONS[name] ?? []);
showPlan(questions);
const where = await machine(redisUrl);
const answered: Answered[] = [];
for (const question of questions) {
  console.log(`\n${question.title}`);
  const one = await ask(question);
  answered.push(one);
  if (one.rows.length > 0) console.log(`\n${table(one.rows)}`);
  if (one.failure) console.error('\nFAILED before all of it was measured');
}
await cleanUp();
conclude();

async function ask(question: Question): Promise<Answered> {
  const began = performance.now();
  const rows: Row[] = [];
  const seconds = () => (performance.now() - began) / 1_000;
  try {
    await question.run(options, (...more) => void rows.push(...more));
    return { question, rows, seconds: seconds() };
  } catch (error) {
    if (isEnding()) await new Promise(() => {}); // the signal's handler ends the process
    console.error(error);
    const failure = messageOf(error).slice(0, MOST_OF_A_FAILURE);
    return { question, rows, seconds: seconds(), failure };
  }
}

function showPlan(questions: readonly Question[]): void {
  const estimate = ({ seconds }: Question) => (flags.quick ? seconds.quick : seconds.full);
  const total = questions.reduce((sum, question) => sum + estimate(question), 0);
  const time = total < 120 ? `${total} s` : `${Math.ceil(total / 60)} min`;
  console.log(`The plan: about ${time} on two quiet cores`);
  for (const question of questions)
    console.log(`  ${String(estimate(question)).padStart(4)} s  ${question.title}`);
}

function conclude(): void {
  const rows = answered.flatMap(({ rows }) => rows);
  console.log(`\nThe main figures, after ${elapsed()}`);
  for (const { what, values, unit } of rows.filter(row => row.main))
    console.log(`  ${withUnit(median(values), unit).padStart(14)}  ${what}`);
  const missed = rows.filter(row => isReached(row) === false);
  const failed = answered.filter(({ failure }) => failure !== undefined);
  if (missed.length > 0) console.log(`missed: ${missed.map(row => row.what).join('; ')}`);
  if (failed.length > 0) console.log(`failed: ${failed.map(({ question }) => question.title).join('; ')}`);
  if (missed.length + failed.length === 0) console.log('every goal was reached');
  if (flags.write || !(flags.quick || flags.only || flags.profile)) {
    const leftOut = Object.keys(QUESTIONS).filter(name => !names.includes(name));
    writeFileSync(RESULTS, results(where, answered, options, elapsed(), leftOut));
    console.log(`written: ${path.relative('.', RESULTS)}`);
  }
  process.exitCode = missed.length + failed.length === 0 ? 0 : 1;
}
