/** Routes that need a key if the gateway has keys: the caller is known before the body is read. */
import type { onRequestHookHandler } from 'fastify';
import { type Caller, createGuard } from '../headers/bearer.js';
import { Refusal } from '../refusal.js';

export type Guard = {
  readonly identify: onRequestHookHandler;
  /** for the route's schema */
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
};

export function guardOf(apiKeys: readonly string[]): Guard {
  const callerOf = createGuard(apiKeys);
  return {
    // a hook with a callback: a promise for each hook is a tenth of the cost of a small request
    identify: (request, _reply, done) => {
      const caller = callerOf(request.headers.authorization);
      if (caller === undefined) return done(unknownKey());
      request.caller = caller;
      done();
    },
    security: apiKeys.length > 0 ? [{ bearer: [] }] : [],
  };
}

/** of a 401, for the route's schema */
export const WWW_AUTHENTICATE = { 'www-authenticate': { type: 'string', const: 'Bearer' } };

const unknownKey = (): Refusal =>
  new Refusal(
    401,
    'A bearer key of this gateway is needed',
    [{ message: 'no such key', in: 'authorization' }],
    { 'www-authenticate': 'Bearer' },
  );

declare module 'fastify' {
  interface FastifyRequest {
    /** the caller, on guarded routes */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** the route needs a key, and refuses requests while the gateway ends */
    guarded?: boolean;
    /** what the route takes and gives, for /openapi.json */
    described?: FastifySchema | undefined;
  }
}
