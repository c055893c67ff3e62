/**
 * Keeps secrets out of what doctor shows. Its own sentences contain none; but Redis, HubSpot and the network may quote what
 * they were sent. Pure.
 */
import { passwordOfUrl } from '../shared/runtime/redis-url.js';
import { SETTINGS, type Setting } from '../shared/runtime/settings.js';

type Values = Readonly<Record<string, unknown>>;

/** A shorter one is no secret, and would hide parts of ordinary words. */
const SHORTEST = 6;
const HIDDEN = '[secret]';
/** They often hold the key of the collector. */
const HEADERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'];

/**
 * @param config values by their names in settings.ts
 * @param env for the headers of the OTLP exporter
 * @returns all secrets, and the parts by which they may be quoted
 */
export function secretsOf(config: Values, env: Values): string[] {
  const secrets = Object.entries<Setting>(SETTINGS).flatMap(([key, { kind }]) =>
    kind === 'secret' ? textOf(config[key]) : [],
  );
  const all = [
    ...secrets,
    ...secrets.flatMap(secret => secret.split(',').map(key => key.trim())), // GATEWAY_API_KEYS is a list
    ...HEADERS.flatMap(name => textOf(env[name]).flatMap(headerValues)),
    ...textOf(config.redisUrl).flatMap(passwordOf),
  ];
  return [...new Set(all)]
    .filter(secret => secret.length >= SHORTEST)
    .sort((one, other) => other.length - one.length); // a part must not be replaced before the whole
}

/** @returns the text with every secret replaced, also in the form in which a URL carries it */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let shown = text;
  for (const secret of secrets)
    for (const form of new Set([secret, encodeURIComponent(secret.toWellFormed())]))
      shown = shown.replaceAll(form, HIDDEN);
  return shown;
}

/** `name=value,name=value` @returns the values, as they are written and as they are sent */
const headerValues = (list: string): string[] =>
  list.split(',').flatMap(header => {
    const value = header.slice(header.indexOf('=') + 1).trim();
    return [value, decoded(value)];
  });

const textOf = (value: unknown): string[] => (typeof value === 'string' && value !== '' ? [value] : []);

/** Password, and nothing else: host, port and user are shown on purpose. */
function passwordOf(url: string): string[] {
  const password = passwordOfUrl(url);
  return password === undefined || password === '' ? [] : [password, decoded(password)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
