/**
 * HTTP to HubSpot. No other file speaks it. One call in, one answer out. It never throws for what HubSpot or the
 * network does, never retries, and never exposes the token.
 */
import http, { type ClientRequest, Agent as HttpAgent, type RequestOptions } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import axios, { type AxiosInstance, type AxiosResponse, isAxiosError } from 'axios';
import { associationsPath } from '../shared/contract/api-versions.js';
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
  readonly windowMs: number;
  /** called with the limit in HubSpot's headers, if they state one for a window of `windowMs` */
  readonly onRateLimitHeader: (calls: number) => void;
};

/** Of them, what the settings say. */
export const httpOptions = (settings: {
  readonly hubspotBaseUrl: string;
  readonly hubspotApiVersion: string;
  readonly requestTimeoutMs: number;
  readonly rateLimitWindowMs: number;
}): Pick<HubSpotHttpOptions, 'baseUrl' | 'apiVersion' | 'timeoutMs' | 'windowMs'> => ({
  baseUrl: settings.hubspotBaseUrl,
  apiVersion: settings.hubspotApiVersion,
  timeoutMs: settings.requestTimeoutMs,
  windowMs: settings.rateLimitWindowMs,
});

/** A call to any endpoint. */
type PathRequest = {
  readonly method: 'GET' | 'POST';
  /** below the base URL, with its slash */
  readonly path: string;
  /** serialized JSON */
  readonly body?: string | Buffer;
};
/** A call to the association endpoints. */
type Request = {
  readonly method: 'GET' | 'POST';
  readonly fromObjectType: string;
  readonly toObjectType: string;
  /** the last part of the path: `batch/create`, `labels` */
  readonly call: string;
  /** serialized JSON */
  readonly body?: string | Buffer;
};

const CORRELATION_HEADER = 'x-hubspot-correlation-id';
/** Largest body that is read. 2,000 results take a quarter of a megabyte, 2,000 errors about two. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const TOO_LARGE = 'the answer is larger than 32 MB and is not HubSpot’s; check HUBSPOT_BASE_URL and proxies';
/** Longest correlation id, because every job concerned stores it. */
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
   * @param signal aborts the call; HubSpot may have executed it all the same
   * @param departure asked immediately before the bytes are written
   */
  async call(request: Request, signal: AbortSignal, departure: Departure): Promise<Answer | NotSent> {
    const { fromObjectType, toObjectType, call, ...more } = request;
    const objects = `${encodeURIComponent(fromObjectType)}/${encodeURIComponent(toObjectType)}`;
    const path = `${associationsPath(this.#options.apiVersion)}/${objects}/${call}`;
    return this.send({ ...more, path }, signal, departure);
  }

  /** The same for any endpoint, such as those that tell about the account. */
  async send(request: PathRequest, signal: AbortSignal, departure: Departure): Promise<Answer | NotSent> {
    const { method, path: url, body } = request;
    const { timeoutMs, token } = this.#options;
    // The timeout of axios restarts with every byte, so this deadline cuts off a body that trickles. Each call has one
    // controller and releases it at the end: AbortSignal.any would leave an entry for each call in the process's signal.
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
    // Refusals have the id in the body. Answers with results and errors have it only in an undocumented header.
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

/** Node's requests, with a check of the clock once the connection is open and before the bytes are written. */
const departingBy = (departure: Departure) => ({
  request(options: RequestOptions, onResponse: (response: http.IncomingMessage) => void): ClientRequest {
    const { request } = options.protocol === 'https:' ? https : http;
    const call = request(options, onResponse);
    return call.once('socket', socket => depart(call, socket, departure));
  },
});

function depart(call: ClientRequest, socket: Socket, departure: Departure): void {
  // A socket that still connects sends the bytes as soon as it is connected, and the call cannot be withdrawn: it counts
  // from then.
  if (socket.connecting)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => departure.leave());
  else if (departure.isOpen()) departure.leave();
  else call.destroy();
}

const HTTP_DATE = /^[A-Z][a-z]+, \d/;

/** Reads seconds or a date. A date is compared with the answer's `Date` header if there is one. */
function readRetryAfter(value: unknown, date: unknown): number | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return seconds >= 0 && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  // Date.parse accepts nearly any text
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

/** An id above 2^53 loses digits in JSON.parse; this expression finds such ids so that they are quoted first. */
const HUGE_ID = /"((?:from|to)ObjectId)":\s*(\d{16,})/g;

/** @returns true if the body has only results and no id lost digits: true for nearly every answer, which saves the replace */
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
  // only code and message leave this file, because the error object contains the request with the token
  const code = isAxiosError(error) ? error.code : undefined;
  const category = code === 'ETIMEDOUT' || code === 'ECONNABORTED' ? 'TIMEOUT' : 'CONNECTION_ERROR';
  return {
    kind: 'none',
    at,
    category,
    message: [code, messageOf(error) || 'connection failed'].filter(Boolean).join(': '),
  };
}
