/** Where the queue of a producer is: what its options say, else the environment, as for the commands. */
import type { RedisOptions } from 'ioredis';
import { optionFaults } from '../shared/contract/did-you-mean.js';
import type { RedisAddress, RedisTarget } from '../shared/runtime/redis.js';
import { passwordFaults, type RedisLogin } from '../shared/runtime/redis-login.js';
import { loginOf, nameOfSetting, targetFaults } from '../shared/runtime/redis-settings.js';
import { redisUrlFault } from '../shared/runtime/redis-url.js';
import { SETTINGS } from '../shared/runtime/settings.js';
import type { ProducerOptions } from './api.js';

type Environment = Readonly<Record<string, string | undefined>>;
export type QueuePlace = {
  readonly address: RedisAddress;
  readonly prefix: string;
  /** replicas that must have what is acknowledged */
  readonly waitReplicas: number;
  /** without passwords */
  readonly problems: readonly string[];
};

export function queuePlace(
  options: Pick<ProducerOptions, 'redisUrl' | 'redisLogin' | 'connection' | 'prefix' | 'waitReplicas'>,
  env: Environment,
): QueuePlace {
  const { connection } = options;
  const chosen = options.prefix ?? given(env, SETTINGS.queuePrefix.name) ?? SETTINGS.queuePrefix.default;
  const isPrefix = typeof chosen === 'string' && chosen !== '';
  const { waitReplicas, fault } = readWaitReplicas(options, env);
  const problems = [...(isPrefix ? [] : ['prefix is not a text, or empty']), ...(fault ? [fault] : [])];
  const prefix = isPrefix ? chosen : '';
  if (connection === undefined) {
    const address = targetOf(options, prefix, env);
    return { address, prefix, waitReplicas, problems: [...problems, ...faultsOf(address, options)] };
  }
  for (const name of ['redisUrl', 'redisLogin'] as const)
    if (options[name] !== undefined) problems.push(`${name} and connection are both given: give one`);
  const read = readConnection(connection);
  if (typeof read !== 'string') return { address: read, prefix, waitReplicas, problems };
  return { address: {}, prefix, waitReplicas, problems: [...problems, `connection ${read}`] };
}

/** The environment's figure counts whatever Redis the options name: to wait in vain is said, to wait for nobody is not. */
function readWaitReplicas(
  { waitReplicas: option }: Pick<ProducerOptions, 'waitReplicas'>,
  env: Environment,
): { waitReplicas: number; fault?: string } {
  const { name, min, max, default: nobody } = SETTINGS.redisWaitReplicas;
  const waitReplicas = option ?? Number(given(env, name) ?? nobody);
  if (Number.isInteger(waitReplicas) && waitReplicas >= min && waitReplicas <= max) return { waitReplicas };
  const place = option === undefined ? name : 'waitReplicas';
  return { waitReplicas: nobody, fault: `${place} is not an integer from ${min} to ${max}` };
}

/** The environment's login is for the Redis of the environment. */
function targetOf(
  { redisUrl, redisLogin }: Pick<ProducerOptions, 'redisUrl' | 'redisLogin'>,
  prefix: string,
  env: Environment,
): RedisTarget {
  const url = redisUrl ?? given(env, SETTINGS.redisUrl.name) ?? SETTINGS.redisUrl.default;
  return { url, prefix, login: redisLogin ?? (redisUrl === undefined ? loginOf(env) : {}) };
}

function faultsOf(
  target: RedisTarget,
  { redisUrl, redisLogin, prefix }: Pick<ProducerOptions, 'redisUrl' | 'redisLogin' | 'prefix'>,
): string[] {
  const nameOf = (field: keyof RedisLogin | 'url' | 'prefix'): string => {
    if (field === 'url') return redisUrl === undefined ? nameOfSetting(field) : 'redisUrl';
    if (field === 'prefix') return prefix === undefined ? nameOfSetting(field) : 'prefix';
    return redisLogin === undefined ? nameOfSetting(field) : `redisLogin.${field}`;
  };
  const fault = redisUrlFault(target.url);
  if (fault) return [`${nameOf('url')} ${fault}`];
  if (redisLogin !== undefined) {
    const faults = optionFaults(redisLogin, LOGIN, 'redisLogin.');
    if (faults.length > 0) return faults;
  }
  return [...passwordFaults(target.login, nameOf), ...targetFaults(target, nameOf)];
}

const LOGIN: { readonly [name in keyof Required<RedisLogin>]: true } = {
  ...{ username: true, password: true, passwordFile: true },
  ...{ sentinelUsername: true, sentinelPassword: true, sentinelPasswordFile: true },
  ...{ caFile: true, certFile: true, keyFile: true, serverName: true },
};

/** An empty variable counts as unset. */
const given = (env: Environment, name: string): string | undefined => env[name]?.trim() || undefined;

/**
 * A client lends its options only: the producer opens connections of its own, which fail within seconds while Redis is away
 * and which it may replace (docs/decisions/0052).
 * @returns the options, or the fault
 */
function readConnection(connection: unknown): RedisOptions | string {
  if (typeof connection !== 'object' || connection === null || Array.isArray(connection)) return NEITHER;
  const { isCluster, status, options, duplicate, url, socket } = connection as { [name: string]: unknown };
  if (isCluster === true) return 'is a cluster: give redisUrl redis+cluster://host:port,host:port';
  // other libraries' clients have options and duplicate() as well, but no status
  const isClient = typeof duplicate === 'function' && typeof status === 'string';
  if (!isClient && (typeof duplicate === 'function' || socket !== undefined)) return NEITHER;
  if (!isClient && url !== undefined) return 'has a url: give it as redisUrl';
  const read = (isClient ? options : connection) as RedisOptions;
  return read.keyPrefix ? 'has a keyPrefix: the option prefix says what the keys begin with' : read;
}

const NEITHER = 'is neither options nor a client of ioredis: give one of them, or redisUrl';
