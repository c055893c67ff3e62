/** HubSpot's batch/create: a batch → one call → its answer. hubspot/http.ts speaks HTTP. */
import type { Answer } from '../../hubspot/classify.js';
import type { Departure, NotSent } from '../../hubspot/departure.js';
import { HubSpotHttp, type HubSpotHttpOptions } from '../../hubspot/http.js';
import type { Call } from '../batches/columns.js';
import { requestBody } from './request-body.js';

export type HubSpotClientOptions = HubSpotHttpOptions;

export type WrittenCall = Pick<Call, 'fromObjectType' | 'toObjectType'> & { readonly body: string | Buffer };

/** Serializes a call ahead of its turn, because the body takes milliseconds. */
export const writeOut = ({ fromObjectType, toObjectType, columns }: Call): WrittenCall => ({
  fromObjectType,
  toObjectType,
  body: requestBody(columns),
});

export class HubSpotClient {
  readonly #http: HubSpotHttp;

  constructor(options: HubSpotClientOptions) {
    this.#http = new HubSpotHttp(options);
  }

  /**
   * POST …/batch/create with these inputs.
   * @param signal aborts the call; HubSpot may have executed it all the same
   */
  create(call: WrittenCall, signal: AbortSignal, departure: Departure): Promise<Answer | NotSent> {
    return this.#http.call({ method: 'POST', call: 'batch/create', ...call }, signal, departure);
  }

  close(): void {
    this.#http.close();
  }
}
