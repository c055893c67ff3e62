/**
 * The caller's thread: makes the calls that it is told to make. Wiring only; hubspot-client.ts knows HTTP.
 * An answer that lists every input goes back as that one word: 2,000 results stay here.
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
/** A batch that stands ready has no time running: its call begins when another one has ended. */
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
    token = order.token; // the client reads it before it first waits
    return client.create(written, ending.signal, departure);
  });
  calls.delete(order.id);
  if (answer.kind === 'not-sent')
    // a call that stood ready for another one's end was not late by this machine's fault
    send({ kind: 'answer', id: order.id, answer: { ...answer, lateMs: answer.lateMs - waitedMs } });
  else send({ kind: 'answer', id: order.id, ...packAnswer(answer, columns) });
}

function packAnswer(answer: Answer, columns: Columns): { answer: Answer; body?: string } {
  if (answer.kind === 'none') return { answer };
  const { body, ...rest } = answer;
  if (answer.status >= 200 && answer.status < 300 && listsAll(body, columns))
    return { answer: { ...rest, body: undefined, listsAll: true } };
  // as text: cheaper to copy between threads than objects
  return { answer: { ...rest, body: undefined }, ...(body !== undefined && { body: written(body) }) };
}

/** What is nested too deeply to be written again is not HubSpot's answer. */
function written(body: unknown): string {
  try {
    return JSON.stringify(body);
  } catch {
    return 'null';
  }
}
