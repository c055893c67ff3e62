import { expect, test } from '@jest/globals';
import { judgeBaseUrl } from '../../../../src/doctor/judge/base-url.js';

test.each([
  ['https://api.hubapi.com', 'ok'],
  ['https://api-eu1.hubapi.com', 'ok'],
  ['http://api.hubapi.com', 'fault'],
  ['http://127.0.0.1:8787', 'warning'],
  ['https://api.hubapi.com.example.org', 'warning'],
])('%s is %s', (url, status) => {
  expect(judgeBaseUrl(url).status).toBe(status);
});
