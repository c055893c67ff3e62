/** A process that cannot listen says which setting helps. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, test } from '@jest/globals';
import { listenError, listening } from '../../../../src/shared/runtime/listen-error.js';

const place = { host: '127.0.0.1', port: 3_000, portSetting: 'GATEWAY_PORT', hostSetting: 'GATEWAY_HOST' };
const failure = (code: string) => Object.assign(new Error(`listen ${code}`), { code });

test.each([
  [
    'EADDRINUSE',
    'port 3000 on 127.0.0.1 is taken by another process (EADDRINUSE): set GATEWAY_PORT to another port, or to 0 for a free one',
  ],
  ['EACCES', 'this process may not listen on port 3000 (EACCES): set GATEWAY_PORT to a port from 1024 on'],
  [
    'EADDRNOTAVAIL',
    '"127.0.0.1" is not an address of this machine (listen EADDRNOTAVAIL): set GATEWAY_HOST to one, such as 127.0.0.1 or 0.0.0.0',
  ],
])('%s names the setting', (code, words) => {
  expect(listenError(failure(code), place)).toEqual(new Error(words));
});

it('leaves any other error alone', () => {
  const error = failure('EMFILE');
  expect(listenError(error, place)).toBe(error);
  expect(listenError(undefined, place)).toBeUndefined();
});

it('explains the refusal of a real port that is taken', async () => {
  const first = createServer().listen(0, '127.0.0.1');
  await once(first, 'listening');
  const { port } = first.address() as AddressInfo;
  const second = createServer();
  const listen = () =>
    new Promise<void>((resolve, reject) => {
      second.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  try {
    await expect(listening(listen, { ...place, port })).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
  } finally {
    first.close();
  }
});
