/** One logger per process. Callers do not pass secrets; redaction is the second line of defence. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyLine } from './pretty-log.js';
import { harmlessJson } from './text.js';

export type { Logger } from 'pino';

export type LoggerOptions = {
  /** LOG_FORMAT; '' = pretty on a terminal, else json */
  readonly format?: string;
  /** default: stdout */
  readonly destination?: DestinationStream;
};

const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'token',
  'accessToken',
  'access_token',
  'refresh_token',
  'password',
];

export function createLogger(level: string, component: string, options: LoggerOptions = {}): Logger {
  const { format = '', destination } = options;
  const pinoOptions = {
    level,
    base: { component, pid: process.pid },
    hooks: { streamWrite: harmlessJson },
    redact: {
      paths: SECRET_FIELDS.flatMap(field => [field, `*.${field}`, `*.*.${field}`]),
      censor: '[redacted]',
    },
  };
  const isTerminal = destination === undefined && process.stdout.isTTY === true;
  if (format === 'pretty' || (format === '' && isTerminal))
    return pino(
      pinoOptions,
      prettyStream(destination ?? process.stdout, isTerminal && !process.env.NO_COLOR),
    );
  return destination ? pino(pinoOptions, destination) : pino(pinoOptions);
}

const prettyStream = (to: { write(line: string): unknown }, colours: boolean): DestinationStream => ({
  write: line => void to.write(`${prettyLine(line, colours)}\n`),
});
