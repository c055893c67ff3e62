/** One logger per process. Secrets never reach it; the redaction is the second fence. */
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
