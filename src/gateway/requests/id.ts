/**
 * Request ids are UUIDs. Requests that share a note have ones of version 8, which leaves the contents to its maker
 * (RFC 9562): the note's id, with the request's place in its last three digits. Pure but for randomness.
 */
import { randomUUID } from 'node:crypto';

const REQUEST_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const VERSION_AT = 14;
const PLACE_DIGITS = 3;
const PLACE_AT = 36 - PLACE_DIGITS;

export const isRequestId = (text: string): boolean => REQUEST_ID.test(text);

/** @param shared of a note that several requests share, which stands at place 0 */
export function newRequestId(shared: boolean): string {
  const id = randomUUID();
  return shared ? memberId(`${id.slice(0, VERSION_AT)}8${id.slice(VERSION_AT + 1)}`, 0) : id;
}

/** @param place from 0 to 4095; a job has 500 */
export const memberId = (note: string, place: number): string =>
  note.slice(0, PLACE_AT) + place.toString(16).padStart(PLACE_DIGITS, '0');

/** The note that a request shares, and its place in it; undefined for one with a note of its own. */
export function placeOf(id: string): { note: string; place: number } | undefined {
  if (id[VERSION_AT] !== '8') return undefined;
  return { note: memberId(id, 0), place: Number.parseInt(id.slice(PLACE_AT), 16) };
}

/** Of one of a request's jobs: derived, so that a repeat finds what is there; BullMQ allows no colon. */
export const jobId = (requestId: string, index: number): string => `${requestId}-${index}`;
