/** The Idempotency-Key header: 1 to 255 characters. Pure. */
import { Refusal } from '../refusal.js';

/** @throws Refusal 400 */
export function readIdempotencyKey(given: string | string[] | undefined): string | undefined {
  if (given === undefined) return undefined;
  const key = String(given);
  if (key.length >= 1 && key.length <= 255) return key;
  throw new Refusal(400, 'The Idempotency-Key must have 1 to 255 characters', [
    { message: `it has ${key.length}`, in: 'Idempotency-Key' },
  ]);
}
