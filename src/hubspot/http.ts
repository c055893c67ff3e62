/**
 * HTTP to HubSpot: the only file that knows it. One call in, one answer out; it never throws for what HubSpot or the
 * network does, never retries, and never lets the token out.
 */
import http, { type ClientRequest, Agent as HttpAgent, type RequestOptions } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import axios, { type AxiosInstance, type AxiosResponse, isAxiosError } from 'axios';
import { messageOf } from '../shared/contract/errors.js';
import { enteringWords } from '../shared/runtime/text.js';
import { type Answer, field, text } from './classify.js';
import type { Departure, NotSent } from './departure.js';

export type HubSpotHttpOptions = {
  readonly baseUrl: string;
  readonly apiVersion: string;
  readonly token: () => string;
  readonly timeoutMs: number;
  readonly maxSockets: number;
  /** HubSpot's own word on its limit, when it is there and speaks of this window */
  readonly windowMs: number;
  readonly onRateLimitHeader: (calls: number) => void;
};

type Request = {
  readonly method: 'GET' | 'POST';
  readonly fromObjectType: string;
  readonly toObjectType: string;
  /** what is asked of the object pair: `batch/create`, `labels` */
  readonly call: string;
  /** JSON, written out */
  readonly body?: string | Buffer;
};

const CORRELATION_HEADER = 'x-hubspot-correlation-id';
/** Of a body: 2,000 results take a quarter of a megabyte, 2,000 errors some two. What follows is not read. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const TOO_LARGE = 'the answer is larger than 32 MB and is not HubSpot’s; check HUBSPOT_BASE_URL and proxies';
/** It travels with every job that it concerns. */
const LONGEST_ID = 100;

export class HubSpotHttp {
  readonly #options: HubSpotHttpOptions;
  readonly #http: AxiosInstance;
  readonly #agents: readonly [HttpAgent, HttpsAgent];

  constructor(options: HubSpotHttpOptions) {
    this.#options = options;
    const agentOptions = { keepAlive: true, maxSockets: options.maxSockets };
    this.#agents = [new HttpAgent(agentOptions), new HttpsAgent(agentOptions)];
    this.#http = axios.create({
      baseURL: options.baseUrl.replace(/\/+$/, ''),
      httpAgent: this.#agents[0],
      httpsAgent: this.#agents[1],
      timeout: options.timeoutMs,
      maxRedirects: 0, // a redirect would carry the token somewhere else
      maxBodyLength: Number.POSITIVE_INFINITY,
      maxContentLength: MAX_ANSWER_BYTES,
      validateStatus: () => true,
      responseType: 'text',
      transitional: { silentJSONParsing: true, forcedJSONParsing: false, clarifyTimeoutError: true },
      transformRequest: body => body,
      transformResponse: body => body,
    });
  }

  /**
   * @param signal ends the call: whether it was carried out is then unknown
   * @param departure asked immediately before the bytes are written
   */
  async call(request: Request, signal: AbortSignal, departure: Departure): Promise<Answer | NotSent> {
    const { method, fromObjectType, toObjectType, call, body } = request;
    const { apiVersion, timeoutMs, token } = this.#options;
    const root = apiVersion === 'v4' ? '/crm/v4/associations' : `/crm/associations/${apiVersion}`;
    const url = `${root}/${encodeURIComponent(fromObjectType)}/${encodeURIComponent(toObjectType)}/${call}`;
    // axios' timeout starts again with every byte: a body that trickles is cut off by the deadline. One controller a call,
    // let go of at its end: AbortSignal.any would leave a trace of each call in the signal of the process.
    const ending = new AbortController();
    let late = false;
    const onStop = () => ending.abort();
    const timer = setTimeout(() => {
      late = true;
      ending.abort();
    }, timeoutMs);
    signal.addEventListener('abort', onStop);
    if (signal.aborted) ending.abort();
    try {
      if (!departure.isOpen()) ending.abort();
      const response = await this.#http.request<string>({
        method,
        url,
        ...(body !== undefined && { data: body }),
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          accept: 'application/json',
          authorization: `Bearer ${token()}`,
        },
        signal: ending.signal,
        transport: departingBy(departure),
      });
      return this.#read(response);
    } catch (error) {
      if (departure.missed) return departure.missed;
      return noAnswer(error, late ? `no answer within ${timeoutMs} ms` : undefined);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onStop);
    }
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  #read(response: AxiosResponse<string>): Answer {
    const header = (name: string) => Number(response.headers[name] ?? Number.NaN);
    if (header('x-hubspot-ratelimit-interval-milliseconds') === this.#options.windowMs) {
      const max = header('x-hubspot-ratelimit-max');
      if (max > 0) this.#options.onRateLimitHeader(max);
    }
    const retryAfterMs = readRetryAfter(response.headers['retry-after'], response.headers.date);
    const body = parseBody(response.data);
    // refusals have it in the body; answers with errors beside results only in a header that no documentation names
    const correlationId = text(field(body, 'correlationId')) ?? text(response.headers[CORRELATION_HEADER]);
    return {
      kind: 'answer',
      at: new Date().toISOString(),
      status: response.status,
      body,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(correlationId !== undefined && { correlationId: enteringWords(correlationId, LONGEST_ID) }),
    };
  }
}

/** Node's own requests, with a look at the clock when the connection is there and the bytes are about to go. */
const departingBy = (departure: Departure) => ({
  request(options: RequestOptions, onResponse: (response: http.IncomingMessage) => void): ClientRequest {
    const { request } = options.protocol === 'https:' ? https : http;
    const call = request(options, onResponse);
    return call.once('socket', socket => depart(call, socket, departure));
  },
});

function depart(call: ClientRequest, socket: Socket, departure: Departure): void {
  // What is handed to a connection that is not there yet goes when it is, and cannot be taken back: it counts from then.
  if (socket.connecting)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => departure.leave());
  else if (departure.isOpen()) departure.leave();
  else call.destroy();
}

const HTTP_DATE = /^[A-Z][a-z]+, \d/;

/** Seconds, or a date: told by the answer's own clock where it says what that is. */
function readRetryAfter(value: unknown, date: unknown): number | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return seconds >= 0 && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  // Date.parse reads a date into nearly anything
  const until = HTTP_DATE.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const now = Date.parse(String(date));
  return Math.max(0, until - (Number.isNaN(now) ? Date.now() : now));
}

function parseBody(body: string | undefined): unknown {
  if (!body) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return isPrecise(parsed) ? parsed : JSON.parse(body.replace(HUGE_ID, '"$1":"$2"'));
  } catch {
    return undefined;
  }
}

/** Ids are strings to us; a JSON number beyond 2^53 loses digits in JSON.parse. */
const HUGE_ID = /"((?:from|to)ObjectId)":\s*(\d{16,})/g;

/** Nothing but results, and no id among them that lost digits: nearly every answer, so it is not searched as text. */
function isPrecise(body: unknown): boolean {
  const results = field(body, 'results');
  if (!Array.isArray(results) || field(body, 'errors') !== undefined) return false;
  return results.every(one => !isLossy(one?.fromObjectId) && !isLossy(one?.toObjectId));
}

const isLossy = (id: unknown): boolean => typeof id === 'number' && !Number.isSafeInteger(id);

function noAnswer(error: unknown, timeout: string | undefined): Answer {
  const at = new Date().toISOString();
  if (timeout) return { kind: 'none', at, category: 'TIMEOUT', message: timeout };
  if (messageOf(error).startsWith('maxContentLength'))
    return { kind: 'none', at, category: 'ANSWER_TOO_LARGE', message: TOO_LARGE };
  // only code and message leave this file: the error itself holds the request with its token
  const code = isAxiosError(error) ? error.code : undefined;
  const category = code === 'ETIMEDOUT' || code === 'ECONNABORTED' ? 'TIMEOUT' : 'CONNECTION_ERROR';
  return {
    kind: 'none',
    at,
    category,
    message: [code, messageOf(error) || 'connection failed'].filter(Boolean).join(': '),
  };
}
