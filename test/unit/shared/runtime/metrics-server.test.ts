/** The worker's server of metrics and health: half a request does not keep a connection open. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { createLogger } from '../../../../src/shared/runtime/logger.js';
import { MetricsServer } from '../../../../src/shared/runtime/metrics-server.js';

it('the metrics server closes connections that send nothing, half a head or half a body, and answers the others', async () => {
  const server = new MetricsServer({
    port: 0,
    host: '127.0.0.1',
    registry: new Registry(),
    notReady: () => [],
    notAlive: () => [],
    logger: createLogger('silent', 'worker'),
    timeouts: { requestMs: 200, checkMs: 50 },
  });
  await server.start();
  const sockets = [
    '',
    'GET /metrics HTTP/1.1\r\nhost: x\r\n',
    'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab',
  ].map(text => {
    const socket = connect(server.port, '127.0.0.1').on('error', () => {});
    socket.resume().write(text);
    return socket;
  });
  try {
    await Promise.all(sockets.map(socket => once(socket, 'close')));
    expect((await fetch(`http://127.0.0.1:${server.port}/readyz`)).status).toBe(200);
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
});
