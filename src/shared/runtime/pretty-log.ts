/**
 * A log line for people (LOG_FORMAT=pretty): time, level, component, message, then the other fields as name=value. Pure.
 * Not for programs: the fields keep no types. Ours instead of pino-pretty, which brings a dozen packages for this one function.
 */
import { harmless } from './text.js';

const LEVELS: Readonly<Record<number, readonly [word: string, colour: string]>> = {
  10: ['TRACE', '\u001b[90m'],
  20: ['DEBUG', '\u001b[90m'],
  30: ['INFO', '\u001b[32m'],
  40: ['WARN', '\u001b[33m'],
  50: ['ERROR', '\u001b[31m'],
  60: ['FATAL', '\u001b[31m'],
};
const [DIM, RESET] = ['\u001b[2m', '\u001b[0m'];

/**
 * @param json a line of pino, with or without its newline
 * @returns the line without a newline; what is not a JSON object comes back as it is, without control characters
 */
export function prettyLine(json: string, colours: boolean): string {
  const line = json.trimEnd();
  const fields = fieldsOf(line);
  if (!fields) return harmless(line);
  const { level, time, pid: _pid, component, msg, event, ...more } = fields;
  const [word, colour] = LEVELS[Number(level)] ?? [harmless(String(level)), ''];
  const paint = (text: string, code: string) => (colours && text !== '' ? `${code}${text}${RESET}` : text);
  const head = msg === undefined ? event : msg;
  // the message of a line with its own words says more than the event's name, which programs filter by
  const rest = msg === undefined || event === undefined ? more : { event, ...more };
  return [
    clockOf(time),
    paint(word.padEnd(5), colour),
    harmless(String(component ?? '')),
    harmless(String(head ?? '')),
    paint(Object.entries(rest).map(named).join(' '), DIM),
  ]
    .filter(part => part !== '')
    .join('  ');
}

function fieldsOf(line: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** `14:05:09.123`, in the time zone of the process */
function clockOf(time: unknown): string {
  const at = new Date(Number(time));
  if (Number.isNaN(at.getTime())) return '--:--:--.---';
  const digits = (value: number, length = 2) => String(value).padStart(length, '0');
  return `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}.${digits(at.getMilliseconds(), 3)}`;
}

const PLAIN = /^[^\s"=]+$/;

function named([name, value]: [string, unknown]): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const isPlain = typeof value !== 'string' || PLAIN.test(text);
  return harmless(`${name}=${isPlain ? text : JSON.stringify(text)}`);
}
