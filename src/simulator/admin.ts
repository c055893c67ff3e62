/**
 * /_simulator/: endpoints by which other processes (the demo, chaos tests) read and script the simulator. They need no
 * credentials, count against no limit and do not appear in the ledger.
 *
 *   GET  /_simulator/ledger                 totals
 *   GET  /_simulator/ledger/created.ndjson  every association: fromType, toType, from, to, at, call, types
 *   GET  /_simulator/ledger/calls.ndjson    every call; loopDelayMs: how late this process was when the limit refused it
 *   POST /_simulator/faults                 one fault or a list of them (faults.ts); GET: the pending ones; DELETE: removes all
 *   POST /_simulator/options                some options of options.ts (not port and host); GET: all
 *   POST /_simulator/reset                  clears ledger, limits and faults
 */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../shared/contract/errors.js';
import { checkFault } from './faults.js';
import type { SimulatorState } from './state.js';

export const ADMIN_PATH = '/_simulator/';
const LINES_PER_CHUNK = 1_000;

export async function administer(
  state: SimulatorState,
  method: string,
  path: string,
  body: string,
  response: ServerResponse,
): Promise<void> {
  const json = (status: number, value: unknown) => {
    response.writeHead(status, { 'Content-Type': 'application/json;charset=utf-8' });
    response.end(`${JSON.stringify(value)}\n`);
  };
  try {
    switch (`${method} ${path.slice(ADMIN_PATH.length)}`) {
      case 'GET ledger':
        return json(200, state.ledger.summary(state.options.rateLimitWindowMs));
      case 'GET ledger/created.ndjson':
        return await stream(response, state.ledger.created());
      case 'GET ledger/calls.ndjson':
        return await stream(response, state.ledger.calls);
      case 'GET faults':
        return json(200, state.faults.pending());
      case 'POST faults': {
        const given: unknown = JSON.parse(body);
        const faults = (Array.isArray(given) ? given : [given]).map(checkFault);
        for (const fault of faults) state.faults.add(fault);
        return json(200, { scripted: faults.length });
      }
      case 'DELETE faults':
        state.faults.clear();
        return json(200, { ok: true });
      case 'GET options':
        return json(200, { ...state.options, accessToken: state.options.accessToken === '' ? '' : '(set)' });
      case 'POST options':
        state.setOptions(JSON.parse(body));
        return json(200, { ok: true });
      case 'POST reset':
        state.reset();
        return json(200, { ok: true });
      default:
        return json(404, { message: `no ${method} ${path}; see src/simulator/admin.ts` });
    }
  } catch (error) {
    if (response.headersSent) response.destroy();
    else json(400, { message: messageOf(error) });
  }
}

async function stream(response: ServerResponse, rows: Iterable<unknown>): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  await pipeline(Readable.from(chunks(rows)), response);
}

function* chunks(rows: Iterable<unknown>): Generator<string> {
  let lines: string[] = [];
  for (const row of rows) {
    lines.push(`${JSON.stringify(row)}\n`);
    if (lines.length < LINES_PER_CHUNK) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}
