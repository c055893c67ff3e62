import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { secretsOf, withoutSecrets } from '../../../src/doctor/secrets.js';
import { parseConfig } from '../../../src/shared/runtime/config.js';

const directory = mkdtempSync(path.join(os.tmpdir(), 'doctor-secrets-'));
afterAll(() => rmSync(directory, { recursive: true }));
const passwordFile = path.join(directory, 'redis');
writeFileSync(passwordFile, 'password-of-the-file\n');

const env = {
  REDIS_URL: 'redis://user:p%40ss-word@127.0.0.1:6379',
  REDIS_PASSWORD_FILE: passwordFile,
  REDIS_SENTINEL_PASSWORD: 'of the sentinels',
  HUBSPOT_ACCESS_TOKEN: 'pat-na1-11111111-2222',
  GATEWAY_API_KEYS: 'first-key-1, second-key-2',
  DASHBOARD_USER: 'oncall',
  DASHBOARD_PASSWORD: 'correct horse',
  ALERT_WEBHOOK_URL: 'https://hooks.example.com/T000/B000/XXXX',
  OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=abc%20def123,other=value-of-other',
};
const secrets = secretsOf(parseConfig(env), env);
const hidden = (text: string) => withoutSecrets(text, secrets);

describe('what is shown', () => {
  it.each([
    'pat-na1-11111111-2222',
    'first-key-1',
    'second-key-2',
    'correct horse',
    'correct%20horse',
    'p@ss-word',
    'p%40ss-word',
    'password-of-the-file',
    'of the sentinels',
    'https://hooks.example.com/T000/B000/XXXX',
    'abc%20def123',
    'abc def123',
    'value-of-other',
  ])('never has %s', secret => {
    expect(hidden(`it said: "${secret}" twice: ${secret}`)).toBe('it said: "[secret]" twice: [secret]');
  });

  it('keeps hosts, names and ordinary words', () => {
    const text = 'redis://127.0.0.1:6379, hooks.example.com, x-api-key, user, other';
    expect(hidden(text)).toBe(text);
  });

  it('is not torn by a token that is a short word', () => {
    const short = { HUBSPOT_ACCESS_TOKEN: 'any' };
    expect(withoutSecrets('in any tier', secretsOf(parseConfig(short), short))).toBe('in any tier');
  });
});
