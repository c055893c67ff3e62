/** The log for people: one line, in an order that the eye finds, without anything that a terminal obeys. */
import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../../../../src/shared/runtime/logger.js';
import { prettyLine } from '../../../../src/shared/runtime/pretty-log.js';

const at = new Date(2026, 10, 27, 9, 5, 7, 42).getTime();
const line = (fields: object) =>
  prettyLine(`${JSON.stringify({ level: 30, time: at, component: 'worker', pid: 7, ...fields })}\n`, false);

describe('a line for people', () => {
  it('has time, level, component, message, then the fields', () => {
    expect(line({ event: 'batch', inputs: 2_000, objectPair: 'contacts/companies', msg: 'batch sent' })).toBe(
      '09:05:07.042  INFO   worker  batch sent  event=batch inputs=2000 objectPair=contacts/companies',
    );
  });

  it('has the event as its message if it has no other words', () => {
    expect(line({ event: 'stopped' })).toBe('09:05:07.042  INFO   worker  stopped');
  });

  it('quotes values with spaces, and shows lists and objects as JSON', () => {
    expect(line({ msg: 'x', error: 'two words', counts: { created: 1 }, empty: '', none: null })).toMatch(
      /error="two words" counts=\{"created":1\} empty="" none=null$/,
    );
  });

  it('cannot be forged or coloured by foreign text', () => {
    const foreign = 'a\nb\u001b[2Jc\u202Ed';
    const pretty = line({ msg: foreign, reason: foreign, component: foreign, [foreign]: 1 });
    expect(pretty).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(pretty).toContain('a b [2Jc d');
  });

  it('keeps what is no JSON object, harmless', () => {
    expect(prettyLine('plain \u001b[31m text\n', false)).toBe('plain  [31m text');
    expect(prettyLine('[1]', false)).toBe('[1]');
  });

  it('has colours only where they are asked for', () => {
    expect(prettyLine(JSON.stringify({ level: 40, time: at, msg: 'x' }), true)).toContain('\u001b[33mWARN');
  });
});

it('the logger writes JSON where nobody reads it on a terminal, and pretty lines where LOG_FORMAT says so', () => {
  const written = (format: string) => {
    const lines: string[] = [];
    const destination = { write: (text: string) => void lines.push(text) };
    createLogger('info', 'test', { format, destination }).info({ token: 'pat-secret', ids: 2 }, 'hello');
    return lines.join('');
  };
  expect(JSON.parse(written(''))).toMatchObject({ component: 'test', msg: 'hello', token: '[redacted]' });
  expect(JSON.parse(written('json'))).toMatchObject({ msg: 'hello' });
  expect(written('pretty')).toMatch(/INFO {3}test {2}hello {2}token=\[redacted\] ids=2\n$/);
});
