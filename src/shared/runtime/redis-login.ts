/**
 * How a connection logs in to Redis: user, passwords and TLS files. Files are read again at each connection, so that a password
 * or a certificate is renewed while the process runs.
 */
import { readFileSync } from 'node:fs';
import type { RedisOptions } from 'ioredis';
import { messageOf } from '../contract/errors.js';
import { readRedisUrl } from './redis-url.js';

/** All of it is optional. A user or a password in the URL wins over these. */
export type RedisLogin = {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** path of a file with the password */
  readonly passwordFile?: string | undefined;
  /** of the Sentinels themselves */
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** path of a file with it */
  readonly sentinelPasswordFile?: string | undefined;
  /** path of a PEM file: the certificates of the authorities that sign Redis' certificate, instead of the system's */
  readonly caFile?: string | undefined;
  /** paths of PEM files: our certificate and its key, for a Redis that asks clients for one */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** the name in Redis' certificate, if it is not the host */
  readonly serverName?: string | undefined;
};

const TLS_FIELDS = ['caFile', 'certFile', 'keyFile', 'serverName'] as const;
const PEM_FIELDS = ['caFile', 'certFile', 'keyFile'] as const;
const PASSWORDS = [
  ['password', 'passwordFile'],
  ['sentinelPassword', 'sentinelPasswordFile'],
] as const;
type FileField = (typeof PEM_FIELDS)[number] | (typeof PASSWORDS)[number][1];
/** @returns the name of a field where the caller has set it */
type NameOf = (field: keyof RedisLogin | 'url') => string;

/** @returns every fault of the passwords, with the field's name. Never has a secret. */
export const passwordFaults = (login: RedisLogin, nameOf: NameOf): string[] =>
  PASSWORDS.flatMap(([text, file]) => [
    ...(login[text] !== undefined && login[file] !== undefined
      ? [`${nameOf(text)} and ${nameOf(file)} are both set: give one`]
      : []),
    ...fileFaults(login, file, nameOf),
  ]);

/**
 * @param url a valid REDIS_URL
 * @returns every fault of what concerns TLS, with the field's name. Never has a secret.
 */
export function tlsFaults(login: RedisLogin, url: string, nameOf: NameOf): string[] {
  const faults: string[] = [];
  const { tls } = readRedisUrl(url).options;
  const useless = tls ? [] : TLS_FIELDS.filter(field => login[field] !== undefined);
  if (useless.length > 0)
    faults.push(
      `${nameOf('url')} has no TLS, which ${useless.map(nameOf).join(', ')} ${useless.length === 1 ? 'is' : 'are'} for: write rediss://, rediss+sentinel:// or rediss+cluster://`,
    );
  for (const [one, other] of [
    ['certFile', 'keyFile'],
    ['keyFile', 'certFile'],
  ] as const)
    if (login[one] !== undefined && login[other] === undefined)
      faults.push(`${nameOf(other)} is missing: ${nameOf(one)} needs it`);
  return [...faults, ...PEM_FIELDS.flatMap(field => fileFaults(login, field, nameOf))];
}

function fileFaults(login: RedisLogin, field: FileField, nameOf: NameOf): string[] {
  const file = login[field];
  if (file === undefined) return [];
  try {
    readFile(file, field);
    return [];
  } catch (error) {
    return [`${nameOf(field)} ${messageOf(error)}`];
  }
}

/**
 * Puts the login into the options of a client, from the files as they are now. A file that cannot be read leaves what was
 * there before.
 * @returns why files cannot be read
 */
export function applyLogin(options: RedisOptions, login: RedisLogin): Error[] {
  const errors: Error[] = [];
  const read = (field: FileField, use: (text: string) => void): void => {
    const file = login[field];
    if (file === undefined) return;
    try {
      use(readFile(file, field));
    } catch (error) {
      errors.push(new Error(messageOf(error)));
    }
  };
  const { username, password, sentinelUsername, sentinelPassword } = login;
  if (username !== undefined) options.username = username;
  if (password !== undefined) options.password = password;
  read('passwordFile', text => {
    options.password = text;
  });
  if (options.username !== undefined) options.password ??= ''; // a user may have no password
  if (options.sentinels) {
    if (sentinelUsername !== undefined) options.sentinelUsername = sentinelUsername;
    if (sentinelPassword !== undefined) options.sentinelPassword = sentinelPassword;
    read('sentinelPasswordFile', text => {
      options.sentinelPassword = text;
    });
  }
  if (options.tls) {
    const tls = { ...options.tls, ...(login.serverName !== undefined && { servername: login.serverName }) };
    for (const field of PEM_FIELDS)
      read(field, text => {
        tls[TLS_OPTIONS[field]] = text;
      });
    options.tls = tls;
    if (options.sentinels) options.sentinelTLS = tls;
  }
  return errors;
}
const TLS_OPTIONS = { caFile: 'ca', certFile: 'cert', keyFile: 'key' } as const;

/** @throws Error that names the file; never has its content */
function readFile(file: string, field: FileField): string {
  const text = readFileSync(file, 'utf8').trim();
  if (text === '') throw new Error(`"${file}" is empty`);
  if (field in TLS_OPTIONS) {
    const isKey = field === 'keyFile';
    if (!(isKey ? /-----BEGIN [A-Z ]*PRIVATE KEY-----/ : /-----BEGIN CERTIFICATE-----/).test(text))
      throw new Error(`"${file}" has no ${isKey ? 'private key' : 'certificate'} in PEM format`);
  }
  return text;
}
