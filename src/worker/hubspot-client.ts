/** HubSpot's batch/create: a batch → one call → its answer. What HTTP is, hubspot/http.ts knows. */
import type { Answer } from '../hubspot/classify.js';
import { HubSpotHttp, type HubSpotHttpOptions } from '../hubspot/http.js';
import type { Call, PlainCall } from './call.js';
import { plainRequestBody, requestBody } from './request-body.js';

export type HubSpotClientOptions = HubSpotHttpOptions;

export class HubSpotClient {
  readonly #http: HubSpotHttp;

  constructor(options: HubSpotClientOptions) {
    this.#http = new HubSpotHttp(options);
  }

  /** POST …/batch/create with these inputs. @param signal ends the call: whether it was carried out is then unknown */
  create(call: Call | PlainCall, signal: AbortSignal): Promise<Answer> {
    const { fromObjectType, toObjectType } = call;
    const body = 'columns' in call ? plainRequestBody(call.columns) : requestBody(call.inputs);
    return this.#http.call(
      { method: 'POST', fromObjectType, toObjectType, call: 'batch/create', body },
      signal,
    );
  }

  close(): void {
    this.#http.close();
  }
}
