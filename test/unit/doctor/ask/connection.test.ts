/** A connection to a receiver: no byte is sent, so that nothing can be taken for an event. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { tryConnection } from '../../../../src/doctor/ask/connection.js';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

async function listen(onData: (data: Buffer) => void): Promise<number> {
  server = createServer(socket => socket.on('data', onData).on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

it('opens and closes a connection, and sends nothing', async () => {
  let bytes = 0;
  const port = await listen(data => {
    bytes += data.length;
  });
  const accepted = once(server as Server, 'connection');
  const result = await tryConnection(`http://127.0.0.1:${port}/hook/secret`, 1_000);
  expect(result).toEqual({ place: `127.0.0.1:${port}`, tls: false, ms: expect.any(Number) });
  const [socket] = (await accepted) as [import('node:net').Socket];
  await once(socket, 'close');
  expect(bytes).toBe(0);
});

it('tells why it does not open', async () => {
  const port = await listen(() => {});
  server?.close();
  await once(server as Server, 'close');
  expect(await tryConnection(`http://127.0.0.1:${port}`, 1_000)).toMatchObject({ problem: 'ECONNREFUSED' });
});

it('gives up on a host that never finishes the handshake', async () => {
  const port = await listen(() => {});
  expect(await tryConnection(`https://127.0.0.1:${port}`, 100)).toMatchObject({
    tls: true,
    problem: 'no answer within 0.1 s',
  });
});
