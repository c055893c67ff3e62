/**
 * The caller's thread: makes the calls that it is told to make. Wiring only; hubspot-client.ts knows HTTP.
 * An answer that lists every input goes back as that one word: 2,000 results stay here.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import pLimit from 'p-limit';
import type { Answer } from '../hubspot/classify.js';
import { type Call, type PlainCall, unpackCall } from './call.js';
import { type CallerOptions, clock, type FromThread, type ToThread } from './caller.js';
import { HubSpotClient } from './hubspot-client.js';
import { listsAll, listsAllPlain } from './results.js';

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
/** What the quota takes for punctual: a fifth of its margin. */
const LATE_MS = 20;
const calls = new Map<number, AbortController>();

port.on('message', (message: ToThread) => {
  if (message.kind === 'cancel') calls.get(message.id)?.abort();
  else void make(message);
});
send({ kind: 'ready' });

async function make(order: ToThread & { kind: 'call' }): Promise<void> {
  const ending = new AbortController();
  calls.set(order.id, ending);
  const call = 'columns' in order.call ? order.call : unpackCall(order.call);
  const answer = await slots(() => {
    if (clock() - order.orderedAt > LATE_MS) send({ kind: 'late', id: order.id });
    token = order.token; // the client reads it before it first waits
    return client.create(call, ending.signal);
  });
  calls.delete(order.id);
  send({ kind: 'answer', id: order.id, ...packAnswer(answer, call) });
}

function packAnswer(answer: Answer, call: Call | PlainCall): { answer: Answer; body?: string } {
  if (answer.kind === 'none') return { answer };
  const { body, ...rest } = answer;
  if (answer.status >= 200 && answer.status < 300 && isComplete(body, call))
    return { answer: { ...rest, body: undefined, listsAll: true } };
  // as text: cheaper to copy between threads than objects
  return { answer: { ...rest, body: undefined }, ...(body !== undefined && { body: JSON.stringify(body) }) };
}

const isComplete = (body: unknown, call: Call | PlainCall): boolean =>
  'columns' in call ? listsAllPlain(body, call.columns) : listsAll(body, call.inputs);
