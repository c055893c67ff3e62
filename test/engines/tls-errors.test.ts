/** What people meet with TLS and access rights: each error has a sentence that names the remedy, in commands and in the worker's log. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Authority } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { startCommand } from '../support/process.js';
import { startTlsServer, type TlsServer } from '../support/tls-server.js';

const [authority, stranger] = [new Authority(), new Authority('Another authority')];
const directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-tls-errors-'));
const file = path.join(directory, 'links.csv');
writeFileSync(file, 'from,to\n1,2\n');
let [strict, open, expired, named]: TlsServer[] = [];

beforeAll(async () => {
  const local = ['DNS:localhost'];
  [strict, open, expired, named] = await Promise.all([
    startTlsServer(authority, authority.sign(local)),
    startTlsServer(authority, authority.sign(local), 'no'),
    startTlsServer(authority, authority.sign(local, -1), 'no'),
    startTlsServer(authority, authority.sign(['DNS:redis.internal']), 'no'),
  ]);
  const admin = new Redis(open.server.url);
  await admin.call(
    'ACL',
    'SETUSER',
    'reader',
    'on',
    '>password',
    '~*',
    '-@all',
    '+@read',
    '+ping',
    '+info',
    '+client',
  );
  admin.disconnect();
});
afterAll(async () => {
  await Promise.all([strict, open, expired, named].map(one => one?.server.stop()));
  for (const one of [authority, stranger]) one.remove();
  rmSync(directory, { recursive: true, force: true });
});

const trusting = { REDIS_CA_FILE: authority.file };
const withCertificateOf = (signer: Authority) => {
  const { cert, key } = signer.sign();
  return { ...trusting, REDIS_CERT_FILE: cert, REDIS_KEY_FILE: key };
};

describe.each<[string, () => Readonly<Record<string, string | undefined>>, RegExp]>([
  ['no authority', () => ({ REDIS_URL: open?.url }), /self-signed certificate.*REDIS_CA_FILE must have/],
  [
    'another authority',
    () => ({ REDIS_URL: open?.url, REDIS_CA_FILE: stranger.file }),
    /certificate.*REDIS_CA_FILE must have/,
  ],
  [
    'no client certificate',
    () => ({ REDIS_URL: strict?.url, ...trusting }),
    /REDIS_CERT_FILE and REDIS_KEY_FILE/,
  ],
  [
    'a client certificate of a stranger',
    () => ({ REDIS_URL: strict?.url, ...withCertificateOf(stranger) }),
    /alert unknown ca.*trust the authority|ECONNRESET/,
  ],
  [
    'an expired certificate',
    () => ({ REDIS_URL: expired?.url, ...trusting }),
    /expired.*[Rr]enew Redis' certificate/,
  ],
  ['another name', () => ({ REDIS_URL: named?.url, ...trusting }), /altnames.*REDIS_TLS_SERVERNAME/],
  [
    'a plain URL at a TLS port',
    () => ({ REDIS_URL: open?.url.replace('rediss:', 'redis:') }),
    /ECONNRESET.*write rediss:\/\//,
  ],
  [
    'a TLS URL at a plain port',
    () => ({ REDIS_URL: `rediss://localhost:${open?.server.port}` }),
    /(ETIMEDOUT|no answer).*write redis:\/\//,
  ],
  [
    'too few rights',
    () => ({ REDIS_URL: open?.url.replace('//', '//reader:password@'), ...trusting }),
    /NOPERM.*docs\/operations\/redis\.md/,
  ],
])('%s', (_, settings, said) => {
  const env = () => settings() as Readonly<Record<string, string>>;

  it('is said by enqueue, and nothing is enqueued', async () => {
    const options = ['--from', 'contacts', '--to', 'companies', '--type', 'HUBSPOT_DEFINED:279'];
    const enqueue = startCommand('enqueue', env(), [], [file, ...options]);
    expect([await enqueue.exit(), enqueue.output()]).toEqual([3, expect.stringMatching(said)]);
    expect(enqueue.output()).toContain('nothing is enqueued');
  });

  it("is said by the worker's log, in a line of it", async () => {
    const worker = startCommand('worker', {
      ...{ ...env(), METRICS_PORT: '0' },
      ...{ HUBSPOT_BASE_URL: 'http://127.0.0.1:1', HUBSPOT_ACCESS_TOKEN: 'none' },
    });
    await eventually(() => expect(worker.output()).toMatch(said));
    await worker.end('SIGKILL');
    for (const line of worker.output().trim().split('\n')) expect(line).toMatch(/^\{.*\}$/);
    expect(worker.output()).not.toContain('back after');
  });
});

it('a certificate for another name is right with REDIS_TLS_SERVERNAME', async () => {
  const env = { REDIS_URL: named?.url ?? '', ...trusting, REDIS_TLS_SERVERNAME: 'redis.internal' };
  const stats = startCommand('stats', env);
  expect([await stats.exit(), stats.output()]).toEqual([0, expect.stringContaining('no worker is alive')]);
});
