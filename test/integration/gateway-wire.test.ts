/** Requests that arrive slowly, in part, or with absurd headers: an answer in HubSpot's shape or a closed connection, and no memory kept. */

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { RefusalSchema } from '../../src/gateway/schemas.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { Compile } from '../../src/shared/contract/typebox.js';
import { eventually } from '../support/eventually.js';
import { type TestServer, useServers } from '../support/gateway.js';
import { useRedis } from '../support/redis.js';
import { CREATE, inputOf } from '../support/samples.js';

const test = useRedis(import.meta.url);
const isRefusal = Compile(RefusalSchema);
const MEGABYTE = 1_048_576;
const PATIENT_MS = 20_000;
const sockets: net.Socket[] = [];
// before the servers close, which wait for their connections
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
const openServer = useServers(test);
let server: TestServer;

async function open(requestMs: number): Promise<void> {
  server = await openServer({
    maxInputs: 50, // the largest body is 1 MB, and 1 MB of large bodies is read at a time
    // collecting the garbage of this whole process takes a part of it
    timeouts: { requestMs, largeBodyMs: 1_500 },
  });
  await server.app.listen({ port: 0, host: '127.0.0.1' });
}

const queued = () => test.redis.llen(bullmqKeys(accountKeys(test.prefix)).wait);
const BODY = JSON.stringify({ inputs: [inputOf(1, 2)] });
const head = (more: string) =>
  `POST ${CREATE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${more}\r\n\r\n`;

type Talk = { readonly socket: net.Socket; heard(): string; readonly closed: Promise<void> };
/** Sends this and then nothing more. */
async function say(text: string): Promise<Talk> {
  const { port } = server.app.server.address() as AddressInfo;
  const socket = net.connect(port, '127.0.0.1').setNoDelay(true);
  sockets.push(socket);
  let heard = '';
  socket.on('data', chunk => {
    heard += chunk;
  });
  socket.on('error', () => {}); // the server may close the connection while we send
  const closed = once(socket, 'close').then(() => {});
  await once(socket, 'connect');
  socket.write(text);
  return { socket, heard: () => heard, closed };
}
/** Sends bytes of a body, one after the other, until the connection is closed. */
async function trickle(socket: net.Socket): Promise<void> {
  while (socket.writable) {
    socket.write(' ');
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
function refusalIn(answer: string, status: number): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(isRefusal.Check(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''))).toBe(true);
}
const post = () => server.app.inject({ method: 'POST', url: CREATE, payload: JSON.parse(BODY) });

describe('a slow request', () => {
  it('is answered with 408 and hung up on when its body or headers trickle, while others are served', async () => {
    await open(400);
    const body = await Promise.all(
      Array.from({ length: 20 }, () => say(`${head('content-length: 100000')}{`)),
    );
    const header = await Promise.all(Array.from({ length: 20 }, () => say('POST / HTTP/1.1\r\nx: ')));
    const trickles = [...body, ...header].map(({ socket }) => trickle(socket));
    expect((await post()).statusCode).toBe(201);
    await Promise.all([...body, ...header].map(({ closed }) => closed));
    await Promise.all(trickles);
    for (const { heard } of [...body, ...header]) refusalIn(heard(), 408);
    expect(await queued()).toBe(1);
  });

  it('delays no other request when it announces a body and does not send it', async () => {
    await open(PATIENT_MS);
    const silent = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        say(`${head(at % 2 ? `content-length: ${MEGABYTE}` : 'transfer-encoding: chunked')}`),
      ),
    );
    const filler = `${BODY.slice(0, -1)}${' '.repeat(MEGABYTE / 2)}}`;
    for (const body of [BODY, filler]) {
      const one = await say(`${head(`content-length: ${body.length}`)}${body}`);
      await eventually(() => expect(one.heard()).toMatch(/^HTTP\/1.1 201 /));
    }
    for (const { heard, socket } of silent) expect([heard(), socket.writable]).toEqual(['', true]);
    expect(await queued()).toBe(2);
  });

  it('lets small requests pass however much of large bodies has come and stopped', async () => {
    await open(PATIENT_MS);
    const part = `{${' '.repeat(200_000)}`;
    const stopped = await Promise.all(
      Array.from({ length: 20 }, () => say(`${head(`content-length: ${MEGABYTE}`)}${part}`)),
    );
    // more of them has come than may be held
    await eventually(() => expect(stopped.some(({ heard }) => / 429 /.test(heard()))).toBe(true));
    for (const { heard } of stopped) if (heard() !== '') refusalIn(heard(), 429);
    const one = await say(`${head(`content-length: ${BODY.length}`)}${BODY}`);
    await eventually(() => expect(one.heard()).toMatch(/^HTTP\/1.1 201 /));
    expect(await queued()).toBe(1);
  });

  it('keeps the others waiting for a bounded time when its body is large', async () => {
    await open(PATIENT_MS);
    const slow = await say(`${head(`content-length: ${MEGABYTE}`)}{${' '.repeat(MEGABYTE / 3)}`);
    await eventually(() => expect(slow.socket.writableLength).toBe(0));
    const filler = `${BODY.slice(0, -1)}${' '.repeat(MEGABYTE / 2)}}`;
    const waiting = await say(`${head(`content-length: ${filler.length}`)}${filler}`);
    const trickled = trickle(slow.socket);
    await eventually(() => expect(waiting.heard()).toMatch(/^HTTP\/1.1 201 /));
    await slow.closed;
    await trickled;
    refusalIn(slow.heard(), 408);
    expect(await queued()).toBe(1);
  });
});

describe('a request that breaks off', () => {
  beforeEach(() => open(PATIENT_MS));

  it('enqueues nothing, and frees what it held', async () => {
    // more than may be held at once, if any of it were kept
    for (let round = 0; round < 3; round++) {
      const talks = await Promise.all(
        Array.from({ length: 4 }, () => say(`${head(`content-length: ${MEGABYTE}`)}${BODY}`)),
      );
      for (const { socket } of talks) socket.destroy();
      await Promise.all(talks.map(({ closed }) => closed));
      await eventually(async () =>
        expect(
          await new Promise((resolve, reject) =>
            server.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
          ),
        ).toBe(0),
      );
    }
    const { heard } = await say(`${head(`content-length: ${BODY.length}`)}${BODY}`);
    await eventually(() => expect(heard()).toMatch(/^HTTP\/1.1 201 /));
    expect(await queued()).toBe(1);
  });

  it('is refused or hung up on when its body ends before its length', async () => {
    const talk = await say(`${head(`content-length: ${BODY.length + 10}`)}${BODY}`);
    talk.socket.end();
    await talk.closed;
    if (talk.heard() !== '') refusalIn(talk.heard(), Number(talk.heard().slice(9, 12)));
    const chunked = await say(`${head('transfer-encoding: chunked')}5\r\n{"inp\r\nzz\r\n`);
    await chunked.closed;
    if (chunked.heard() !== '') refusalIn(chunked.heard(), 400);
    expect(await queued()).toBe(0);
  });
});

describe('a request with absurd headers', () => {
  beforeEach(() => open(PATIENT_MS));

  it.each([
    ['no length at all', head('x: y'), 400],
    ['a length that is no number', head('content-length: many'), 400],
    ['a negative length', head('content-length: -1'), 400],
    ['two lengths', head('content-length: 1\r\ncontent-length: 2'), 400],
    ['a length and chunks', head('content-length: 5\r\ntransfer-encoding: chunked'), 400],
    ['a length beyond all', head(`content-length: ${'9'.repeat(30)}`), 400],
    ['too large a length', head(`content-length: ${MEGABYTE * 99}`), 413],
    ['a control character', head('x: a\u0001b\r\ncontent-length: 0'), 400],
    ['a header without a name', head(': y\r\ncontent-length: 0'), 400],
    ['a very long value', head(`prefer: ${'wait=1,'.repeat(5_000)}\r\ncontent-length: 0`), 431],
    ['a very long path', `POST /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
    ['no HTTP version, and no Host', `POST ${CREATE}\r\n\r\n`, 421],
    ['an unknown method', `BREW ${CREATE} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 400],
    ['an unknown encoding', `${head('content-encoding: br\r\ncontent-length: 2')}{}`, 415],
    ['an expectation', head('expect: the-worst\r\ncontent-length: 0'), 400],
  ])('%s', async (_name, text, status) => {
    const talk = await say(text);
    await eventually(() => expect(talk.heard()).toContain('\r\n\r\n'));
    refusalIn(talk.heard(), status);
    expect(await queued()).toBe(0);
  });

  it('thousands of them', async () => {
    const many = Array.from({ length: 1_900 }, (_, at) => `a${at}: b`).join('\r\n');
    const { heard } = await say(`${head(`${many}\r\ncontent-length: ${BODY.length}`)}${BODY}`);
    await eventually(() => expect(heard()).toContain('\r\n\r\n'));
    expect(heard()).toMatch(/^HTTP\/1.1 (201|431) /);
  });
});
