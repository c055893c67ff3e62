/** What the operator can do about a Redis that cannot be used. Pure. */
import type { RedisOptions } from 'ioredis';
import type { RedisAddress, RedisTarget } from './redis.js';
import { WRITE_CLUSTER } from './redis-facts.js';
import { readRedisUrl, redisUrlFault } from './redis-url.js';

type Place = {
  readonly isCluster: boolean;
  readonly hasTls: boolean;
  /** we have a certificate of our own to show */
  readonly hasCertificate: boolean;
};
type Rule = readonly [reason: RegExp, remedy: string, where?: (place: Place) => boolean];

/** A plain client at a node of a cluster works until the node hands its keys over. */
const CLUSTER_NODE_REMEDY = `REDIS_URL leads to one node of a Redis Cluster: ${WRITE_CLUSTER}`;
const RIGHTS_REMEDY =
  'the user needs more rights in this Redis: the list is in docs/operations/redis.md, Access rights';

const withTls = ({ hasTls }: Place): boolean => hasTls;
const withoutTls = ({ hasTls }: Place): boolean => !hasTls;
const withCertificate = ({ hasCertificate }: Place): boolean => hasCertificate;
const withoutCertificate = ({ hasTls, hasCertificate }: Place): boolean => hasTls && !hasCertificate;

/** The first row that fits. */
const RULES: readonly Rule[] = [
  [
    /Sentinel.*\b(NOAUTH|WRONGPASS)\b/,
    'the Sentinels have a login of their own: REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD',
  ],
  [
    /\b(NOAUTH|WRONGPASS)\b|\binvalid password\b/,
    'REDIS_URL must have the user and the password of this Redis (redis://user:password@host:port), or REDIS_USERNAME and REDIS_PASSWORD',
  ],
  [/\bNOPERM\b/, RIGHTS_REMEDY],
  [/\b(MOVED|CROSSSLOT)\b/, CLUSTER_NODE_REMEDY, ({ isCluster }) => !isCluster],
  [
    /cluster support disabled/i,
    'REDIS_URL names a Redis Cluster, but this Redis is none: write redis://host:port',
  ],
  // Redis ends the connection of a client without a certificate, and the client often learns no more than that
  [
    /certificate required|ECONNRESET|EPIPE|disconnected before secure/i,
    'if Redis asks its clients for a certificate, give one in REDIS_CERT_FILE and REDIS_KEY_FILE',
    withoutCertificate,
  ],
  [
    /alert (unknown ca|bad certificate|certificate|decrypt)/i,
    'Redis must trust the authority that signed the certificate in REDIS_CERT_FILE, which must not have expired',
    withCertificate,
  ],
  [
    /certificate (has expired|is not yet valid)/i,
    "renew Redis' certificate on its server, or correct the clock of this machine",
  ],
  [
    /altnames/i,
    "Redis' certificate is for other names: write one of them as the host in REDIS_URL, or in REDIS_TLS_SERVERNAME",
  ],
  [
    /certificate/i,
    "REDIS_CA_FILE must have the certificate of the authority that signed Redis' certificate",
    withTls,
  ],
  [
    /wrong version number|packet length too long|record layer/i,
    'this port does not speak TLS: write redis:// in REDIS_URL',
    withTls,
  ],
  [
    /ETIMEDOUT|no answer within/i,
    'if this port does not speak TLS, write redis:// in REDIS_URL, which says where Redis is',
    withTls,
  ],
  [
    /ECONNRESET|EPIPE/,
    'if this port speaks TLS, write rediss:// in REDIS_URL, which says where Redis is',
    withoutTls,
  ],
  // ioredis keeps the reason of a Sentinel's connection to itself
  [
    /no Sentinel leads to the primary$/,
    'REDIS_URL must name the Sentinels and the primary as they name it; write rediss+sentinel:// if they speak TLS, and redis+sentinel:// if not',
  ],
];

/** @returns what the operator can do about a reason of redisReason; '' if the reason says it, or only time helps */
export function redisRemedy(reason: string, address: RedisAddress): string {
  const place = placeOf(address);
  return RULES.find(([words, , fits]) => words.test(reason) && fits?.(place) !== false)?.[1] ?? '';
}

function placeOf(address: RedisAddress): Place {
  if (typeof address === 'string') return placeOf({ url: address, prefix: '', login: {} });
  if (!('url' in address)) return placeOfOptions(address);
  const { url, login } = address as RedisTarget;
  if (redisUrlFault(url) !== undefined) return { isCluster: false, hasTls: false, hasCertificate: false };
  const { options, nodes } = readRedisUrl(url);
  return {
    isCluster: nodes !== undefined,
    hasTls: options.tls !== undefined,
    hasCertificate: login.certFile !== undefined,
  };
}

/** Options of ioredis are for no Redis Cluster. */
const placeOfOptions = ({ tls }: RedisOptions): Place => ({
  isCluster: false,
  hasTls: tls !== undefined && tls !== null,
  hasCertificate: tls?.cert !== undefined || tls?.pfx !== undefined,
});
