/** One logger per process. Callers do not pass secrets; redaction is the second line of defence. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { harmlessJson } from './text.js';

export type { Logger } from 'pino';

const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'token',
  'accessToken',
  'access_token',
  'refresh_token',
  'password',
];

export function createLogger(level: string, component: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { component, pid: process.pid },
    hooks: { streamWrite: harmlessJson },
    redact: {
      paths: SECRET_FIELDS.flatMap(field => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
