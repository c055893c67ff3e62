/** The name that a caller gives to a request. */
import { expect, it } from '@jest/globals';
import { readRequestName } from '../../../../src/gateway/headers/request-name.js';

/** As Node gives a header whose bytes are UTF-8. */
const sent = (text: string) => Buffer.from(text).toString('latin1');

it.each([
  ['nightly import', 'nightly import'],
  [sent('Größe, 日本'), 'Größe, 日本'],
  ['Gr%C3%B6%C3%9Fe', 'Größe'],
  ['Gr\u00f6\u00dfe', 'Größe'], // Latin-1
  ['100 % of it', '100 % of it'],
])('%j is taken', (given, name) => {
  expect(readRequestName(given)).toBe(name);
});

it.each([
  ['', 'it has 0'],
  ['%20', 'it has 0'],
  ['x'.repeat(201), 'it has 201'],
  ['a%0Ab', 'it has control characters'],
  ['a%00', 'it has control characters'],
  [sent('\u202e%1b[31m'), 'it has control characters'],
])('%j is refused, with the reason and the place', (given, fault) => {
  expect(() => readRequestName(given)).toThrow(
    expect.objectContaining({
      status: 400,
      faults: [{ in: 'X-Request-Name', message: expect.stringContaining(fault) }],
    }),
  );
});
