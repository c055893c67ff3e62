// The demo's associations: three CSV files, their bad lines, and the expected outcome of each.
// Everything follows from the number of associations, so that two runs of the same size are identical.
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** One bad association of each kind in this many: 50 of each in 200,000. */
const ONE_IN = 4_000;
const LEAST_OF_A_KIND = 2;

const FILES = [
  { from: 'contacts', to: 'companies', type: 'HUBSPOT_DEFINED:279', share: 0.45 },
  { from: 'deals', to: 'contacts', type: 'HUBSPOT_DEFINED:3', share: 0.3 },
  { from: 'contacts', to: 'contacts', type: 'HUBSPOT_DEFINED:449', share: 0.25 },
];

/**
 * The kinds of bad associations. The record ids follow the simulator's conventions
 * (association-queue simulator --help).
 *   spoil   makes a good line bad; `n` is different for each line
 *   is      checks that HubSpot's reason fits the kind
 */
export const KINDS = [
  {
    name: 'from record missing',
    spoil: (line, n) => ({ ...line, from: 999_000_000 + n }),
    is: (error, from) => error.category === 'OBJECT_NOT_FOUND' && error.message.includes(from),
  },
  {
    name: 'to record missing',
    // two associations have the same missing record: HubSpot names it once
    spoil: (line, n) => ({ ...line, to: 999_500_000 + Math.floor(n / 2) }),
    is: (error, _from, to) => error.category === 'OBJECT_NOT_FOUND' && error.message.includes(to),
  },
  {
    name: 'malformed id',
    spoil: (line, n) => ({ ...line, from: `crm-${n}` }),
    is: (error, from) => error.category === 'VALIDATION_ERROR' && error.message.includes(from),
  },
  {
    name: 'record with too many associations',
    spoil: (line, n) => ({ ...line, to: 998_000_000 + n }),
    is: error => /ASSOCIATION_USER_CONFIG_LIMIT_EXCEEDED/.test(error.message),
  },
  {
    name: 'accepted without effect',
    only: 0,
    share: 0.4, // each is tried JOB_ATTEMPTS times before it is rejected
    spoil: (line, n) => ({ ...line, from: 997_000_000 + n }),
    is: error => error.category === 'NO_EFFECT',
  },
  {
    name: 'type of another object pair',
    only: 0,
    spoil: line => ({ ...line, category: 'HUBSPOT_DEFINED', typeId: 339 }), // tickets → companies
    is: error => /invalid from object type/.test(error.message),
  },
  {
    name: 'type that does not exist',
    only: 0,
    spoil: line => ({ ...line, category: 'USER_DEFINED', typeId: 4_242 }),
    is: error => /not a valid association definition id/.test(error.message),
  },
  {
    name: 'record with itself',
    only: 2,
    spoil: line => ({ ...line, to: line.from }),
    is: error => /cannot be associated to itself/.test(error.message),
  },
];

/**
 * @param {number} total associations, all files together
 * @returns files; each call of `lines()` generates the lines again: from, to, category, typeId, and `kind` for a bad line
 */
export function demoFiles(total) {
  let left = total;
  return FILES.map((file, at) => {
    const count = at === FILES.length - 1 ? left : Math.round(total * file.share);
    left -= count;
    const kindAt = badLines(at, count, Math.max(LEAST_OF_A_KIND, Math.round(total / ONE_IN)));
    const [category, typeId] = file.type.split(':');
    function* lines() {
      for (let n = 0; n < count; n++) {
        const from = 10_000_000 * (at + 1) + n;
        // some records on the right side have many links, as companies have contacts
        const to = 50_000_000 + 10_000_000 * at + Math.floor(n / 5);
        const kind = kindAt.get(n);
        const good = { from, to, category, typeId: Number(typeId) };
        yield kind ? { ...kind.spoil(good, at * 100_000 + n), kind } : good;
      }
    }
    return { ...file, name: `${file.from}-to-${file.to}.csv`, count, bad: kindAt.size, lines };
  });
}

/** Spreads the bad lines evenly, with their kinds in turn. @returns kind by line */
function badLines(fileAt, count, ofEachKind) {
  const kinds = KINDS.filter(({ only }) => only === undefined || only === fileAt);
  const wanted = kinds.flatMap(kind => {
    // a kind that every file has is divided among the files
    const part = kind.only === undefined ? 1 / FILES.length : 1;
    const here = Math.ceil(ofEachKind * part * (kind.share ?? 1));
    return Array.from({ length: here }, (_, turn) => ({ kind, at: (turn + 0.5) / here }));
  });
  wanted.sort((a, b) => a.at - b.at);
  const stride = count / wanted.length;
  return new Map(wanted.map(({ kind }, at) => [Math.floor((at + 0.5) * stride), kind]));
}

/** Writes the file as a user would: types only where they differ from the usual one. @returns the file's path */
export async function writeCsv(file, directory) {
  const target = path.join(directory, file.name);
  function* text() {
    yield 'from,to,category,typeId\n';
    let chunk = [];
    for (const { from, to, category, typeId } of file.lines()) {
      const own = `${category}:${typeId}` !== file.type;
      chunk.push(own ? `${from},${to},${category},${typeId}\n` : `${from},${to},,\n`);
      if (chunk.length < 1_000) continue;
      yield chunk.join('');
      chunk = [];
    }
    yield chunk.join('');
  }
  await pipeline(Readable.from(text()), createWriteStream(target));
  return target;
}

const usual = what => ({ kind: 'status', ...what });

/** Scripted faults of the simulator: each strikes the first call with a certain good association. */
const FAULTS = [
  { said: '429 with Retry-After', fault: usual({ status: 429, headers: { 'Retry-After': '1' } }), file: 0 },
  { said: '503', fault: usual({ status: 503 }), file: 1 },
  {
    said: 'connection reset after the call was executed',
    fault: { kind: 'reset', applied: true },
    file: 2,
  },
  { said: 'empty 2xx answer', fault: { kind: 'empty' }, file: 0 },
  {
    said: 'half an answer after the call was executed',
    fault: { kind: 'half-body', applied: true },
    file: 1,
  },
  { said: '400 that names no input', fault: { kind: 'refuse', named: false }, file: 2 },
  { said: '502 in HTML', fault: usual({ status: 502 }), file: 0 },
  { said: '429 without Retry-After', fault: usual({ status: 429 }), file: 1 },
  { said: 'answer after 2 s', fault: { kind: 'slow', ms: 2_000 }, file: 2 },
];

/** @returns the faults to POST to the simulator, with a description of each */
export function demoFaults(files) {
  const used = files.map(() => 0);
  return FAULTS.map(({ said, fault, file: at }) => {
    const file = files[at];
    const places = FAULTS.filter(({ file }) => file === at).length;
    const wanted = ((used[at]++ + 0.5) / places) * file.count;
    let n = 0;
    for (const line of file.lines()) {
      if (n++ < wanted || line.kind) continue;
      const match = {
        fromObjectType: file.from,
        toObjectType: file.to,
        pairs: [[String(line.from), String(line.to)]],
      };
      return { said, fault: { ...fault, match } };
    }
    throw new Error(`no good association for "${said}"`);
  });
}
