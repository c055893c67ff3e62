/** Absurd answers: too large, with swapped sides, with invalid ids, with messages that are not text. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { ANY_TIME, Departure } from '../../src/hubspot/departure.js';
import { HubSpotHttp } from '../../src/hubspot/http.js';
import { enteringWords } from '../../src/shared/runtime/text.js';
import { listsAll } from '../../src/worker/calls/results.js';
import { answerOf, columnsOf, inputOf, reconcileInputs } from '../support/worker-samples.js';

const TYPES = { fromObjectType: 'contacts', toObjectType: 'companies' };
const result = (fromObjectId: unknown, toObjectId: unknown) => ({ fromObjectId, toObjectId });

async function ask(answer: (socket: import('node:http').ServerResponse) => void) {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const http = new HubSpotHttp({
    ...{ baseUrl: `http://127.0.0.1:${port}`, apiVersion: 'v4', token: () => 't', timeoutMs: 30_000 },
    ...{ maxSockets: 1, windowMs: 10_000, onRateLimitHeader: () => {} },
  });
  try {
    return await http.call(
      { method: 'GET', ...TYPES, call: 'labels' },
      new AbortController().signal,
      new Departure(ANY_TIME),
    );
  } finally {
    http.close();
    server.closeAllConnections();
    server.close();
  }
}

it('of an endless body no more than 32 MB are read, and it is nobody’s fault', async () => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  let sent = 0;
  const answer = await ask(response => {
    const write = () => {
      while (!response.destroyed && response.write(piece)) sent += 1;
      sent += 1;
    };
    response.on('drain', write);
    write();
  });
  expect(answer).toMatchObject({
    kind: 'none',
    category: 'ANSWER_TOO_LARGE',
    message: expect.stringContaining('larger than 32 MB'),
  });
  expect(sent).toBeLessThan(60);
});

it.each([
  ['a date, by the answer’s own clock', 'Fri, 27 Nov 2026 00:01:00 GMT', 60_000],
  ['a date that is over', 'Thu, 26 Nov 2026 00:00:00 GMT', 0],
  ['seconds', '7', 7_000],
  ['no time at all', 'soon', undefined],
  ['no finite time', 'Infinity', undefined],
])('Retry-After: %s', async (_name, value, ms) => {
  const answer = await ask(response => {
    response.sendDate = false;
    response.writeHead(429, { 'retry-after': value, date: 'Fri, 27 Nov 2026 00:00:00 GMT' }).end('{}');
  });
  expect((answer as { retryAfterMs?: number }).retryAfterMs).toBe(ms);
});

it('results with from and to the other way round count as created', () => {
  const inputs = [inputOf('1', '2'), inputOf('3', '4')];
  const body = { results: [result('2', '1'), result(4, 3)] };
  expect(reconcileInputs(answerOf(201, body), true, { ...TYPES, inputs }).created).toHaveLength(2);
  expect(listsAll(body, columnsOf(inputs))).toBe(true);
});

it('a pair that was asked for in both directions needs both results', () => {
  const inputs = [inputOf('1', '2'), inputOf('2', '1')];
  const body = { results: [result('2', '1')] };
  const found = reconcileInputs(answerOf(201, body), true, { ...TYPES, inputs });
  expect(found.created).toEqual([inputs[1]]);
  expect(listsAll(body, columnsOf(inputs))).toBe(false);
});

it('an error of its own outweighs a result the other way round, though it names no side', () => {
  const inputs = [inputOf('1', '2'), inputOf('3', '4')];
  const errors = [{ category: 'VALIDATION_ERROR', message: '1 is not a valid ID' }];
  const body = { results: [result('2', '1'), result('4', '3')], errors };
  const found = reconcileInputs(answerOf(207, body), true, { ...TYPES, inputs });
  expect(found.named.map(({ input }) => input)).toEqual([inputs[0]]);
  expect(found.created).toEqual([inputs[1]]);
});

it('ids that are objects, of which no text can be made, are nobody’s', () => {
  const inputs = [inputOf('1', '2')];
  const odd = JSON.parse('{"toString":1,"valueOf":1,"__proto__":{"x":1}}') as object;
  const body = { results: [result(odd, odd), null, 7, result([[['1']]], '2')] };
  expect(reconcileInputs(answerOf(201, body), true, { ...TYPES, inputs }).suspects).toEqual(inputs);
  expect(listsAll(body, columnsOf(inputs))).toBe(false);
});

it('words enter well-formed, without controls, cut by code points', () => {
  expect(enteringWords('a\u0000b\ud800c\u009bd', 100)).toBe('a b c d');
  const emoji = '😀'.repeat(600);
  expect(enteringWords(emoji, 500)).toBe(`${'😀'.repeat(499)}…`);
  expect(enteringWords(`${'x'.repeat(498)}😀y`, 500)).toBe(`${'x'.repeat(498)}😀y`);
  expect(enteringWords('x'.repeat(1e7), 5)).toBe('xxxx…');
});

it('every word of an error is bounded and well-formed', () => {
  const long = `${'😀'.repeat(50_000)}\ud800`;
  const body = { message: long, category: long, subCategory: long, correlationId: long };
  const { failure } = reconcileInputs(answerOf(400, body), false, { ...TYPES, inputs: [inputOf('1', '2')] });
  const { message, category = '', subCategory = '', correlationId = '' } = failure;
  for (const word of [message, category, subCategory, correlationId]) {
    expect(Array.from(word).length).toBeLessThanOrEqual(500);
    expect(word).not.toMatch(/\p{Cs}/u);
  }
});
