/**
 * `npm run faults [-- NAME …]`: injects every fault of docs/design/faults.md that takes too long for a test, and reports
 * which promises hold. Writes the figures into docs/design/faults.md and faults/results.json; scenarios that did not run keep their
 * figures. Exit code 1 if a promise does not hold.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cleanUp, isEnding } from '../bench/support/cleanup.js';
import { fromRoot } from '../bench/support/paths.js';
import { messageOf } from '../src/shared/contract/errors.js';
import { SCENARIOS, TESTED } from './catalogue.js';
import { Check, type Result } from './support/check.js';
import { faultsTable, type Results, withTable } from './support/page.js';
import { FaultRig } from './support/rig.js';
import type { Scenario } from './support/scenario.js';

const PAGE = fromRoot('docs/design/faults.md');
const RESULTS = fromRoot('faults/results.json');

const names = process.argv.slice(2);
const unknown = names.filter(name => !SCENARIOS.some(scenario => scenario.name === name));
if (unknown.length > 0) {
  const known = SCENARIOS.map(({ name }) => name).join(', ');
  console.error(`no scenario ${unknown.join(', ')}; there are ${known}`);
  process.exit(2);
}
const chosen = names.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => names.includes(name));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (isEnding()) process.exit(130); // second signal: end at once
    console.error('\ncleaning up; once more to end at once');
    void cleanUp().then(() => process.exit(130));
  });

const total = chosen.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(`${chosen.length} scenarios, about ${Math.ceil(total / 60)} min on two quiet cores\n`);
const results: Record<string, Result> = JSON.parse(readFileSync(RESULTS, 'utf8')) as Results;
for (const [at, scenario] of chosen.entries()) {
  console.log(`${at + 1}/${chosen.length} ${scenario.name}: ${scenario.fault}`);
  results[scenario.name] = await made(scenario);
  save();
}
await cleanUp();
const failed = chosen.filter(({ name }) => !results[name]?.holds).map(({ name }) => name);
console.log(failed.length === 0 ? '\neverything holds' : `\ndoes not hold: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function made(scenario: Scenario): Promise<Result> {
  const since = performance.now();
  const check = new Check();
  let rig: FaultRig | undefined;
  try {
    rig = await FaultRig.start(scenario.rig);
    await scenario.run(rig, check);
  } catch (error) {
    if (isEnding()) await new Promise(() => {}); // the signal's handler ends the process
    check.must('the run broke off', messageOf(error).slice(0, 500), false);
  } finally {
    await rig?.stop();
  }
  const { result } = check;
  for (const { what, value, holds } of result.figures)
    console.log(`     ${holds ? 'ok   ' : 'FAULT'} ${what}: ${value}`);
  const took = Math.round((performance.now() - since) / 1_000);
  console.log(`   ${result.holds ? 'holds' : 'DOES NOT HOLD'}, ${took} s\n`);
  return result;
}

/** Saves after each scenario, so that an interrupted run keeps its figures. */
function save(): void {
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(PAGE, withTable(readFileSync(PAGE, 'utf8'), faultsTable(SCENARIOS, TESTED, results)));
}
