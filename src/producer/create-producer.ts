/** The way into the library. Its types need nothing but api.ts, so that the client package ships few declarations. */
import type { Producer, ProducerOptions } from './api.js';
import { openProducer } from './producer.js';

/**
 * Creates a producer. It connects at its first call, and not here.
 * @param options where the queue is; default: as the environment says, for the commands as well
 * @throws ConfigError with every invalid or unknown option; URLs, tokens and passwords are never quoted
 *
 * @example
 * ```ts
 * import { createProducer } from 'hubspot-association-queue-client';
 *
 * const producer = createProducer();
 * await producer.enqueue({
 *   fromObjectType: 'contacts',
 *   toObjectType: 'companies',
 *   from: '101',
 *   to: '202',
 *   types: 'HUBSPOT_DEFINED:279',
 * });
 * await producer.close();
 * ```
 */
export function createProducer(options: ProducerOptions = {}): Producer {
  return openProducer(options, 'the option hubspot.accessToken of createProducer');
}
