import { expect, test } from '@jest/globals';
import { judgeReceivers } from '../../../../src/doctor/judge/receivers.js';

test('a receiver that can be reached is ok, and the line says that nothing was posted', () => {
  const connection = { place: 'hooks.example.com:443', tls: true, ms: 12 };
  expect(judgeReceivers([{ setting: 'ALERT_WEBHOOK_URL', connection }])).toEqual([
    {
      status: 'ok',
      message:
        'ALERT_WEBHOOK_URL: a TLS connection to hooks.example.com:443 opens in 12 ms; nothing was posted (association-queue alerts test posts a test)',
    },
  ]);
});

test('one that cannot is a fault with the reason', () => {
  const connection = { place: 'collector:4318', tls: false, ms: 3, problem: 'ECONNREFUSED' };
  expect(judgeReceivers([{ setting: 'OTEL_EXPORTER_OTLP_ENDPOINT', connection }])).toMatchObject([
    {
      status: 'fault',
      message: 'OTEL_EXPORTER_OTLP_ENDPOINT: collector:4318 cannot be reached: ECONNREFUSED',
    },
  ]);
});

test('a URL that is none is a fault, and is not shown', () => {
  const [found] = judgeReceivers([{ setting: 'OTEL_EXPORTER_OTLP_ENDPOINT', connection: undefined }]);
  expect(found?.status).toBe('fault');
});

test('none is ok', () => {
  expect(judgeReceivers([])).toMatchObject([{ status: 'ok' }]);
});
