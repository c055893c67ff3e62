/**
 * All roles at a Redis that speaks TLS with a private authority, asks clients for a certificate, and gives the product's user
 * the rights of docs/operations/redis.md and no others.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { refusedCommands, rulesOfCluster, rulesOnPage } from '../support/acl.js';
import { Authority } from '../support/certificates.js';
import { RedisCluster } from '../support/cluster.js';
import { type RolesPlace, runEveryRole } from '../support/every-role.js';
import { startTlsServer, type TlsServer } from '../support/tls-server.js';

const PREFIX = 'acl-test';
const authority = new Authority();
let tls: TlsServer;
let admin: Redis;

beforeAll(async () => {
  tls = await startTlsServer(authority, authority.sign(['DNS:localhost', 'DNS:redis.internal']));
  admin = new Redis(tls.server.url);
  await admin.call(
    'ACL',
    'SETUSER',
    'associations',
    'reset',
    ...rulesOnPage('associations', 'p@ss/word', PREFIX),
  );
});
afterAll(async () => {
  admin.disconnect();
  await tls.server.stop();
  authority.remove();
});

function place(): RolesPlace {
  const { cert, key } = authority.sign();
  return {
    env: {
      ...{
        REDIS_URL: tls.url,
        QUEUE_PREFIX: PREFIX,
        REDIS_USERNAME: 'associations',
        REDIS_PASSWORD: 'p@ss/word',
      },
      ...{ REDIS_CA_FILE: authority.file, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key },
    },
    login: {
      ...{ username: 'associations', password: 'p@ss/word' },
      ...{ caFile: authority.file, certFile: cert, keyFile: key },
    },
  };
}

it('everything works with the rights on the page, and Redis has refused nothing', async () => {
  await admin.config('RESETSTAT');
  await runEveryRole(place());
  if (process.env.SHOW_COMMANDS)
    console.log((await admin.info('commandstats')).replaceAll(/cmdstat_|:calls=(\d+).*/g, ' $1'));
  expect(await refusedCommands(admin)).toEqual([]);
});

it('everything works in a Redis Cluster with the rights for it', async () => {
  const cluster = await RedisCluster.start({ primaries: 3, replicas: 0 });
  const [prefix, password] = ['{acl}', 'p@ss/word'];
  try {
    const rules = [...rulesOnPage('associations', password, prefix), ...rulesOfCluster()];
    for (const { redis } of cluster.nodes)
      await redis.call('ACL', 'SETUSER', 'associations', 'reset', ...rules);
    await runEveryRole({
      env: {
        ...{ REDIS_URL: cluster.url, QUEUE_PREFIX: prefix },
        ...{ REDIS_USERNAME: 'associations', REDIS_PASSWORD: password },
      },
      login: { username: 'associations', password },
    });
    for (const { redis } of cluster.nodes) expect(await refusedCommands(redis)).toEqual([]);
  } finally {
    await cluster.stop();
  }
});
