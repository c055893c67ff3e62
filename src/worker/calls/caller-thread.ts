/**
 * The calling thread: makes the calls that the main thread orders. Wiring only; hubspot-client.ts makes the request.
 * If an answer lists every input, the thread returns only that fact, and 2,000 results stay here.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import pLimit from 'p-limit';
import type { Answer } from '../../hubspot/classify.js';
import { Departure } from '../../hubspot/departure.js';
import { clock } from '../../shared/runtime/clock.js';
import { type Columns, unpackColumns } from '../batches/columns.js';
import type { CallerOptions, FromThread, ToThread } from './caller.js';
import { HubSpotClient, writeOut } from './hubspot-client.js';
import { listsAll } from './results.js';

const port = parentPort as MessagePort;
const send = (message: FromThread) => port.postMessage(message);
let token = '';
const options = workerData as CallerOptions;
const client = new HubSpotClient({
  ...options,
  token: () => token,
  onRateLimitHeader: limit => send({ kind: 'limit', limit }),
});
/** A waiting batch is not late: its call begins when another call ends. */
const slots = pLimit(options.maxSockets);
const calls = new Map<number, AbortController>();

port.on('message', (message: ToThread) => {
  if (message.kind === 'cancel') calls.get(message.id)?.abort();
  else void make(message);
});
send({ kind: 'ready' });

async function make(order: ToThread & { kind: 'call' }): Promise<void> {
  const ending = new AbortController();
  calls.set(order.id, ending);
  const { fromObjectType, toObjectType } = order.call;
  const columns = unpackColumns(order.call.columns);
  const written = writeOut({ fromObjectType, toObjectType, columns });
  const departure = new Departure(order.slot, lateMs => send({ kind: 'late', id: order.id, lateMs }));
  const since = clock();
  let waitedMs = 0;
  const answer = await slots(() => {
    waitedMs = clock() - since;
    token = order.token; // the client reads it before its first await
    return client.create(written, ending.signal, departure);
  });
  calls.delete(order.id);
  if (answer.kind === 'not-sent')
    // time in which a call waited for another call's end is not lateness of this machine
    send({ kind: 'answer', id: order.id, answer: { ...answer, lateMs: answer.lateMs - waitedMs } });
  else send({ kind: 'answer', id: order.id, ...packAnswer(answer, columns) });
}

function packAnswer(answer: Answer, columns: Columns): { answer: Answer; body?: string } {
  if (answer.kind === 'none') return { answer };
  const { body, ...rest } = answer;
  if (answer.status >= 200 && answer.status < 300 && listsAll(body, columns))
    return { answer: { ...rest, body: undefined, listsAll: true } };
  // as text, which is cheaper to copy between threads than objects
  return { answer: { ...rest, body: undefined }, ...(body !== undefined && { body: written(body) }) };
}

/** A body that is nested too deeply to be serialized again is not HubSpot's answer. */
function written(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch {
    return 'null';
  }
}
