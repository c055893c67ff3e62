/** The body of a batch/create call, from its columns. Pure. */
import type { AssociationType } from '../../shared/contract/association.js';
import { MOST_DIGITS } from '../../shared/contract/record-id.js';
import type { Columns } from '../batches/columns.js';

const jsonOf = (types: readonly AssociationType[]): string =>
  JSON.stringify(
    types.map(({ associationCategory, associationTypeId }) => ({ associationCategory, associationTypeId })),
  );

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const START = bytes('{"inputs":[');
const FROM = bytes('{"from":{"id":"');
const TO = bytes('"},"to":{"id":"');
const END = bytes(']}');

/**
 * @returns the bytes that JSON.stringify would make of 2,000 objects, for a fifth of the work: the inputs of a call share a
 * few lists of types, and a numeric id is written without making a text. A test checks that both are equal.
 */
export function requestBody({ size, ids, texts, types, typeAt }: Columns): Buffer {
  const ends = types.map(its => bytes(`"},"types":${jsonOf(its)}},`));
  const body = Buffer.allocUnsafe(roomFor({ size, ids, texts, typeAt }, ends));
  let at = append(body, 0, START);
  for (let input = 0; input < size; input++) {
    at = append(body, at, FROM);
    at = appendId(body, at, ids[2 * input] as number, texts);
    at = append(body, at, TO);
    at = appendId(body, at, ids[2 * input + 1] as number, texts);
    const end = ends[typeAt[input] as number] as Uint8Array;
    body.set(end, at);
    at += end.length;
  }
  at = append(body, size > 0 ? at - 1 : at, END); // no comma after the last input
  return body.subarray(0, at);
}

/** Most bytes of a character in JSON: `\u0000`. */
const MOST_BYTES = 6;

function roomFor({ size, ids, texts, typeAt }: Omit<Columns, 'types'>, ends: readonly Uint8Array[]): number {
  let room = START.length + END.length + size * (FROM.length + TO.length + 2 * MOST_DIGITS);
  for (let input = 0; input < size; input++) room += (ends[typeAt[input] as number] as Uint8Array).length;
  if (texts.length > 0)
    for (const id of ids) if (id < 0) room += MOST_BYTES * (texts[-1 - id] as string).length;
  return room;
}

/** Copies byte by byte, which takes half the time of `set` for few bytes. */
function append(body: Buffer, start: number, some: Uint8Array): number {
  for (let at = 0; at < some.length; at++) body[start + at] = some[at] as number;
  return start + some.length;
}

const appendId = (body: Buffer, start: number, id: number, texts: readonly string[]): number =>
  id < 0 ? appendText(body, start, texts[-1 - id] as string) : appendNumber(body, start, id);

const [SPACE, QUOTE, BACKSLASH, TILDE] = [0x20, 0x22, 0x5c, 0x7e] as const;

/** Writes the text between the quotes. Few odd ids need an escape, or more bytes than they have characters. */
function appendText(body: Buffer, start: number, text: string): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < SPACE || code > TILDE || code === QUOTE || code === BACKSLASH)
      return start + body.write(JSON.stringify(text).slice(1, -1), start, 'utf8');
    body[start + at] = code;
  }
  return start + text.length;
}

/** "00" to "99" */
const TWO_DIGITS = bytes(Array.from({ length: 100 }, (_, at) => String(at).padStart(2, '0')).join(''));
/** Larger integers are not small integers for the JavaScript engine. */
const PART = 1e8;

/** Writes the digits of an integer from 0 to 2^53. */
function appendNumber(body: Buffer, start: number, number: number): number {
  if (number < PART) return appendDigits(body, start, number, lengthOf(number));
  const high = Math.floor(number / PART);
  return appendDigits(body, appendNumber(body, start, high), number - high * PART, 8);
}

function appendDigits(body: Buffer, start: number, number: number, length: number): number {
  let left = number | 0;
  let at = start + length;
  for (; at - start > 1; at -= 2) {
    const rest = (left / 100) | 0;
    const two = 2 * (left - rest * 100);
    body[at - 1] = TWO_DIGITS[two + 1] as number;
    body[at - 2] = TWO_DIGITS[two] as number;
    left = rest;
  }
  if (at > start) body[start] = 48 + left;
  return start + length;
}

function lengthOf(number: number): number {
  let length = 1;
  for (let power = 10; power <= number; power *= 10) length += 1;
  return length;
}
