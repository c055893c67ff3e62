/**
 * The HubSpot stand-in as a server in this process.
 *
 *   1. It opens and closes the port. stop is final; pause and resume keep the port, the ledger and all state.
 *   2. It takes a call through credentials → limits → body → endpoint and records the result in the ledger.
 *
 * Not here: HubSpot's answers (rules.ts, strike.ts, replies.ts) and reading and writing HTTP (wire.ts).
 */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep } from '../shared/runtime/wait.js';
import { ADMIN_PATH, administer } from './admin.js';
import { callOutcome, endpointOf } from './endpoints.js';
import { checkFault, type Fault } from './faults.js';
import type { CallRecord, Ledger } from './ledger.js';
import type { SimulatorOptions } from './options.js';
import { notFound, type Reply, rateLimited, unauthorized } from './replies.js';
import { nowMs, SimulatorState } from './state.js';
import { AT_ONCE, type SentReply } from './strike.js';
import { readBody, sendReply } from './wire.js';

export type Simulator = {
  readonly url: string;
  readonly port: number;
  readonly ledger: Ledger;
  /** Adds faults for the next matching calls (faults.ts). */
  script(...faults: readonly Fault[]): void;
  /** Takes effect at once, for calls that arrive from now on. port and host need a new simulator. */
  setOptions(options: Partial<SimulatorOptions>): void;
  /** Clears ledger, limits and faults and keeps the options. */
  reset(): void;
  /** @throws Error that lists the scripted faults that no call met */
  assertNoPendingFaults(): void;
  /** Simulates that HubSpot is down: cuts connections and refuses new ones until resume. Keeps all state. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
};

export async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const state = new SimulatorState();
  state.setOptions(options);
  let line = await openLine(state, state.options.port);
  const { port, host } = { host: state.options.host, port: line.port };
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    ledger: state.ledger,
    script(...faults) {
      for (const fault of faults) state.faults.add(checkFault(fault));
    },
    setOptions: changes => state.setOptions(changes),
    reset: () => state.reset(),
    assertNoPendingFaults() {
      const pending = state.faults.pending().map(({ fault, left }) => `  ${left} × ${JSON.stringify(fault)}`);
      if (pending.length > 0)
        throw new Error(`${pending.length} scripted faults struck no call:\n${pending.join('\n')}`);
    },
    pause: () => line.close(),
    async resume() {
      await line.close();
      line = await openLine(state, port);
    },
    async stop() {
      state.loopDelay.stop();
      await line.close();
    },
  };
}

type Line = { readonly port: number; close(): Promise<void> };

/** One period of listening. Closing cuts every connection and ends every wait; closing twice does no harm. */
async function openLine(state: SimulatorState, port: number): Promise<Line> {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // every delayed call listens to it
  const server = createServer({ keepAliveTimeout: 72_000, requestTimeout: 0 }, (request, response) => {
    void serve(state, request, response, ending.signal);
  });
  await listen(server, port, state.options.host);
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      ending.abort();
      closed ??= new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => resolve());
  });

async function serve(
  state: SimulatorState,
  request: IncomingMessage,
  response: ServerResponse,
  ending: AbortSignal,
): Promise<void> {
  response.on('error', () => {}); // the caller disconnected; the ledger shows status 0
  const arrival = nowMs();
  const { method = '', url = '' } = request;
  const path = url.split('?', 1)[0] ?? '';
  if (path.startsWith(ADMIN_PATH))
    return administer(state, method, path, (await readBody(request))?.toString('utf8') ?? '', response);

  const endpoint = endpointOf(method, path);
  const call = state.ledger.begin(arrival, endpoint?.name ?? 'other', path);
  const turnedAway = admit(state, call, request.headers.authorization, endpoint?.name === 'account');
  const headers = state.options.rateLimitHeaders ? state.limits.headers(state.options) : {};
  const body = await readBody(request);
  if (body === undefined) return;
  const outcome: SentReply = turnedAway
    ? { reply: turnedAway, delivery: AT_ONCE }
    : endpoint
      ? callOutcome(state, endpoint, call, body)
      : { reply: notFound(path), delivery: AT_ONCE };
  if (call.counted && UNCOUNTED.has(outcome.reply.status)) {
    state.limits.giveBack(arrival);
    call.counted = false;
  }
  const delayMs = state.options.latencyMs + outcome.delivery.delayMs;
  if (delayMs > 0) await sleep(delayMs, ending);
  call.ms = nowMs() - arrival;
  if (response.destroyed || ending.aborted) return;
  if (outcome.delivery.cut !== 'reset') call.status = outcome.reply.status;
  sendReply(response, outcome.reply, outcome.delivery.cut, headers);
}

const UNCOUNTED: ReadonlySet<number> = new Set([401, 429]);

/** Credentials first, then the limits. @returns the refusal; undefined if the call is admitted */
function admit(
  state: SimulatorState,
  call: CallRecord,
  authorization: string | undefined,
  isAboutAccount: boolean,
): Reply | undefined {
  const { options } = state;
  const token = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined || (options.accessToken !== '' && token !== options.accessToken))
    return unauthorized();
  const admission = isAboutAccount
    ? state.limits.admitOther(call.at, options)
    : state.limits.admit(call.at, options);
  if (admission.admitted) {
    call.counted = true;
    return undefined;
  }
  if (admission.policy === 'TEN_SECONDLY_ROLLING') {
    call.earlyMs = admission.waitMs;
    // This process may have noticed earlier calls late, so that they arrived before the recorded time. The refused call
    // may then have come on time.
    void state.loopDelay.within(options.rateLimitWindowMs + admission.waitMs).then(ms => {
      call.loopDelayMs = ms;
    });
  }
  const retryAfter = options.retryAfter && admission.policy === 'TEN_SECONDLY_ROLLING';
  return rateLimited(
    admission.policy,
    retryAfter ? Math.max(1, Math.ceil(admission.waitMs / 1000)) : undefined,
  );
}
