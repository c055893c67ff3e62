// The end of the demo: compares the queue's outcome of every association with the generator's expectation and with the
// simulator's ledger. The ledger is what really happened; the check relies on nothing that the worker says.
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { aligned, count } from '../dist/dashboard/text/figures.js';
import { KINDS } from './demo-data.mjs';

/** The simulator's ledger has object types as ids. */
const TYPE_IDS = { contacts: '0-1', companies: '0-2', deals: '0-3', tickets: '0-5' };
const EXAMPLES = 3;

const keyOf = (fromType, toType, from, to) =>
  `${TYPE_IDS[fromType] ?? fromType}/${TYPE_IDS[toType] ?? toType} ${from} ${to}`;

/**
 * @param given files (demo-data.mjs), faults, accepted, created, rejected, queued (the queue's own totals),
 *   url (the simulator's), failures (NDJSON of `failures export`), limit, windowMs and batchMax
 * @returns checks, each { ok, text }
 */
export async function checkEverything(given) {
  const expected = expectations(given.files);
  return [
    total(given, expected),
    ...(await ledgerChecks(given, expected)),
    ...rejectionChecks(given, expected),
    ...(await callChecks(given)),
  ];
}

/** @returns the expected outcomes: good associations with their type, bad ones with their kind */
function expectations(files) {
  const good = new Map();
  const bad = new Map();
  for (const file of files)
    for (const { from, to, category, typeId, kind } of file.lines()) {
      const key = keyOf(file.from, file.to, from, to);
      if (kind) bad.set(key, kind);
      else good.set(key, `${category}:${typeId}`);
    }
  return { good, bad };
}

function total({ accepted, files }, { good, bad }) {
  const written = files.reduce((sum, file) => sum + file.count, 0);
  const ok = accepted === written && good.size + bad.size === written;
  return {
    ok,
    text: `${count(accepted)} associations were accepted by the queue; the files have ${count(written)}`,
  };
}

async function ledgerChecks({ url, created }, { good }) {
  const missing = new Map(good);
  const surplus = [];
  let rows = 0;
  for await (const row of lines(`${url}/_simulator/ledger/created.ndjson`)) {
    rows += 1;
    const key = keyOf(row.fromType, row.toType, row.from, row.to);
    const types = row.types.map(type => `${type.associationCategory}:${type.associationTypeId}`).join('+');
    if (missing.get(key) === types) missing.delete(key);
    else surplus.push(`${key} as ${types}`);
  }
  return [
    {
      ok: missing.size === 0,
      text: `every good association exists, ${count(good.size)} of them${examples(missing.keys(), 'missing')}`,
    },
    {
      ok: surplus.length === 0,
      text: `nothing else exists: no bad one, no wrong type${examples(surplus, 'surplus')}`,
    },
    { ok: created === rows, text: `${count(created)} counted as created; the ledger has ${count(rows)}` },
  ];
}

function rejectionChecks({ failures, rejected }, { bad }) {
  const missing = new Map(bad);
  const [innocent, wrongReason] = [[], []];
  let listed = 0;
  for (const line of failures.split('\n')) {
    if (line === '') continue;
    const { from, to, fromObjectType, toObjectType, error } = JSON.parse(line);
    const key = keyOf(fromObjectType, toObjectType, from, to);
    const kind = missing.get(key);
    listed += 1;
    missing.delete(key);
    if (!kind) innocent.push(`${key}: ${error.message}`);
    else if (!kind.is(error, from, to))
      wrongReason.push(`${key} (${kind.name}): ${error.category ?? ''} ${error.message}`);
  }
  const kinds = KINDS.filter(kind => [...bad.values()].includes(kind)).length;
  return [
    {
      ok: missing.size === 0 && innocent.length === 0 && listed === bad.size,
      text: `every bad association is listed as rejected once, and no good one: ${count(listed)} of ${count(bad.size)}${examples(missing.keys(), 'missing')}${examples(innocent, 'not bad')}`,
    },
    {
      ok: wrongReason.length === 0,
      text: `each with HubSpot's reason for its fault: ${kinds} kinds${examples(wrongReason, 'other reason')}`,
    },
    {
      ok: rejected === listed,
      text: `${count(rejected)} counted as rejected; the failed jobs have ${count(listed)}`,
    },
  ];
}

async function callChecks({ url, limit, windowMs, faults, batchMax }) {
  const pending = await (await fetch(`${url}/_simulator/faults`)).json();
  const ledger = await (await fetch(`${url}/_simulator/ledger`)).json();
  let [refused, full] = [0, 0];
  for await (const call of lines(`${url}/_simulator/ledger/calls.ndjson`)) {
    if (call.status === 429 && !call.fault) refused += 1;
    if (call.inputs === batchMax) full += 1;
  }
  return [
    {
      ok: pending.length === 0,
      text: `${faults.length - pending.length} of ${faults.length} scripted faults struck and were survived:\n       ${faults.map(({ said }) => said).join(', ')}`,
    },
    {
      ok: ledger.maxCallsInWindow <= limit,
      text: `at most ${ledger.maxCallsInWindow} calls in any ${windowMs / 1_000} s; the limit is ${limit}. Refused for being over it: ${refused} of ${count(ledger.calls)}`,
    },
    {
      ok: ledger.duplicates === 0,
      text: `${count(full)} calls were full (${count(batchMax)} associations), ${count(ledger.calls - full)} smaller: retries, the search for the bad ones, ends of files;\n       none had a record pair twice`,
    },
  ];
}

/** @returns a table of rejections from the output of `failures list --json` */
export function rejectionTable({ groups }) {
  const rows = groups.map(group => [
    `  ${count(group.associations)}`,
    group.category,
    `${group.fromObjectType} → ${group.toObjectType}`,
    group.message.replace(/^accepted without effect:.*/, 'accepted without effect'),
  ]);
  return aligned([['  rejected', 'error', 'object pair', "HubSpot's words"], ...rows], new Set([0])).join(
    '\n',
  );
}

async function* lines(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  for await (const line of createInterface({ input: Readable.fromWeb(response.body), crlfDelay: Infinity }))
    if (line !== '') yield JSON.parse(line);
}

function examples(found, what) {
  const all = [...found];
  if (all.length === 0) return '';
  const more = all.length > EXAMPLES ? `; and ${all.length - EXAMPLES} more` : '';
  return `\n       ${what}: ${all.slice(0, EXAMPLES).join('; ')}${more}`;
}
