/**
 * Request ids are UUIDs. Requests that share a note have UUIDs of version 8, whose content is free (RFC 9562): the note's id
 * with the request's place in the last three digits. Pure except for randomness.
 */
import { randomUUID } from 'node:crypto';

const REQUEST_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const VERSION_AT = 14;
const PLACE_DIGITS = 3;
const PLACE_AT = 36 - PLACE_DIGITS;

export const isRequestId = (text: string): boolean => REQUEST_ID.test(text);

/** @param shared true for a note that several requests share; its own id has place 0 */
export function newRequestId(shared: boolean): string {
  const id = randomUUID();
  return shared ? memberId(`${id.slice(0, VERSION_AT)}8${id.slice(VERSION_AT + 1)}`, 0) : id;
}

/** @param place from 0 to 4095; a job has 500 */
export const memberId = (note: string, place: number): string =>
  note.slice(0, PLACE_AT) + place.toString(16).padStart(PLACE_DIGITS, '0');

/** @returns the shared note of a request and the request's place in it; undefined for a request with its own note */
export function placeOf(id: string): { note: string; place: number } | undefined {
  if (id[VERSION_AT] !== '8') return undefined;
  return { note: memberId(id, 0), place: Number.parseInt(id.slice(PLACE_AT), 16) };
}

/** The id of one of a request's jobs. It is derived, so that a repeat finds existing jobs; BullMQ allows no colon. */
export const jobId = (requestId: string, index: number): string => `${requestId}-${index}`;
