/** When traces are on, and how a service describes itself. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../../src/shared/runtime/config.js';
import { describeService, wantsTraces } from '../../../../src/shared/runtime/start-tracing.js';

test.each([
  [{}, false],
  [{ OTEL_SERVICE_NAME: 'x' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'TRUE' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'false' }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
])('traces are wanted by the environment %j: %s', (env, on) => {
  expect(wantsTraces(env)).toBe(on);
  expect(() => parseConfig(env)).not.toThrow(); // OpenTelemetry judges these variables, not we
});

describe('attributes of a service', () => {
  const before = { ...process.env };
  afterEach(() => {
    process.env = { ...before };
  });
  const attributesWith = async (env: Record<string, string>) => {
    Object.assign(process.env, env);
    return (await describeService('worker')).attributes;
  };

  test('its role is part of its name, and the SDK is named beside it', async () => {
    expect(await attributesWith({})).toMatchObject({
      'service.name': 'association-queue-worker',
      'telemetry.sdk.language': 'nodejs',
    });
  });

  test('the standard variables add attributes, and OTEL_SERVICE_NAME wins', async () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'deployment=eu%2C1, service.name=a' };
    expect(await attributesWith(env)).toMatchObject({ deployment: 'eu,1', 'service.name': 'a' });
    expect(await attributesWith({ ...env, OTEL_SERVICE_NAME: 'b' })).toMatchObject({
      deployment: 'eu,1',
      'service.name': 'b',
    });
  });

  test('attributes that cannot be read are discarded as a whole, as the standard says', async () => {
    const env = { OTEL_RESOURCE_ATTRIBUTES: 'deployment=eu,broken', OTEL_SERVICE_NAME: 'b' };
    const attributes = await attributesWith(env);
    expect(attributes).toMatchObject({ 'service.name': 'b' });
    expect(attributes).not.toHaveProperty('deployment');
  });
});
