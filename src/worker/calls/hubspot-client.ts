/** HubSpot's batch/create: a batch → one call → its answer. What HTTP is, hubspot/http.ts knows. */
import type { Answer } from '../../hubspot/classify.js';
import type { Departure, NotSent } from '../../hubspot/departure.js';
import { HubSpotHttp, type HubSpotHttpOptions } from '../../hubspot/http.js';
import type { Call, PlainCall } from '../batches/columns.js';
import { plainRequestBody, requestBody } from './request-body.js';

export type HubSpotClientOptions = HubSpotHttpOptions;

export type WrittenCall = Pick<Call, 'fromObjectType' | 'toObjectType'> & { readonly body: string | Buffer };

/** The body takes milliseconds to write: before it is the call's turn. */
export function writeOut(call: Call | PlainCall): WrittenCall {
  const { fromObjectType, toObjectType } = call;
  const body = 'columns' in call ? plainRequestBody(call.columns) : requestBody(call.inputs);
  return { fromObjectType, toObjectType, body };
}

export class HubSpotClient {
  readonly #http: HubSpotHttp;

  constructor(options: HubSpotClientOptions) {
    this.#http = new HubSpotHttp(options);
  }

  /**
   * POST …/batch/create with these inputs.
   * @param signal ends the call: whether it was carried out is then unknown
   */
  create(call: WrittenCall, signal: AbortSignal, departure: Departure): Promise<Answer | NotSent> {
    return this.#http.call({ method: 'POST', call: 'batch/create', ...call }, signal, departure);
  }

  close(): void {
    this.#http.close();
  }
}
