/** The settings that say where Redis is and how to log in, for the commands and the library. */
import type { RedisTarget } from './redis.js';
import { type RedisLogin, tlsFaults } from './redis-login.js';
import { readRedisUrl, redisUrlFault } from './redis-url.js';
import { SETTINGS } from './settings.js';

const NAMES = {
  url: SETTINGS.redisUrl.name,
  prefix: SETTINGS.queuePrefix.name,
  username: SETTINGS.redisUsername.name,
  password: SETTINGS.redisPassword.name,
  passwordFile: `${SETTINGS.redisPassword.name}_FILE`,
  sentinelUsername: SETTINGS.redisSentinelUsername.name,
  sentinelPassword: SETTINGS.redisSentinelPassword.name,
  sentinelPasswordFile: `${SETTINGS.redisSentinelPassword.name}_FILE`,
  caFile: SETTINGS.redisCaFile.name,
  certFile: SETTINGS.redisCertFile.name,
  keyFile: SETTINGS.redisKeyFile.name,
  serverName: SETTINGS.redisTlsServername.name,
} as const satisfies Record<TargetField, string>;
type TargetField = keyof RedisLogin | 'url' | 'prefix';

/** @returns the setting of a part of the target */
export const nameOfSetting = (field: TargetField): string => NAMES[field];

/** @returns the login that the environment says; an empty variable counts as unset */
export function loginOf(env: Readonly<Record<string, string | undefined>>): RedisLogin {
  const { url: _url, prefix: _prefix, ...login } = NAMES;
  const fields = Object.entries(login).map(([field, name]) => [field, env[name]?.trim() || undefined]);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as RedisLogin;
}

/**
 * @param nameOf what the caller calls a part of the target
 * @returns what is wrong with TLS, and whether a cluster could keep all keys together. Faults of the URL itself, and of
 *   passwords, are for others to say.
 */
export function targetFaults(
  { url, prefix, login }: RedisTarget,
  nameOf: (field: TargetField) => string,
): string[] {
  if (redisUrlFault(url) !== undefined) return [];
  const faults = tlsFaults(login, url, nameOf);
  if (readRedisUrl(url).nodes && !/\{[^}]+\}/.test(prefix))
    faults.push(
      `${nameOf('prefix')} "${prefix}" has no hash tag, which keeps all keys on one node of a Redis Cluster: write {${prefix || 'bull'}}`,
    );
  return faults;
}

/** @returns a warning for each part of the login that is not used, because the URL has another one */
export function unusedLogin({ url, login }: RedisTarget): string[] {
  if (redisUrlFault(url) !== undefined) return [];
  const { username, password } = readRedisUrl(url).options;
  const unused: string[] = [];
  const compare = (field: 'username' | 'password' | 'passwordFile', inUrl: string | undefined): void => {
    const given = login[field];
    if (inUrl !== undefined && given !== undefined && given !== inUrl)
      unused.push(
        `${NAMES[field]} is not used, because ${NAMES.url} has another ${field === 'username' ? 'user' : 'password'}`,
      );
  };
  compare('username', username);
  compare('password', password);
  compare('passwordFile', password);
  return unused;
}
