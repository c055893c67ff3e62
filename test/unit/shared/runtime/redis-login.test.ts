/** User, passwords and TLS files: every fault with its name and without a secret, and files as they are at each connection. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  applyLogin,
  passwordFaults,
  type RedisLogin,
  tlsFaults,
} from '../../../../src/shared/runtime/redis-login.js';

const directory = mkdtempSync(path.join(os.tmpdir(), 'redis-login-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const at = path.join(directory, name);
  writeFileSync(at, text);
  return at;
}
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n';
const [caFile, certFile, keyFile] = [
  file('ca.pem', CERTIFICATE),
  file('cert.pem', CERTIFICATE),
  file('key.pem', KEY),
];
type RedisOptions = Parameters<typeof applyLogin>[0];
const nameOf = (field: string) => `<${field}>`;

describe('faults of the passwords', () => {
  it('are two ways to give one, and files that are missing or empty', () => {
    const login: RedisLogin = {
      password: 'first-secret',
      passwordFile: file('password', 'second-secret'),
      sentinelPassword: 'third-secret',
      sentinelPasswordFile: file('empty', ' \n'),
    };
    const faults = passwordFaults(login, nameOf);
    expect(faults).toEqual([
      '<password> and <passwordFile> are both set: give one',
      '<sentinelPassword> and <sentinelPasswordFile> are both set: give one',
      `<sentinelPasswordFile> "${path.join(directory, 'empty')}" is empty`,
    ]);
    expect(passwordFaults({ passwordFile: '/nowhere' }, nameOf)).toEqual([
      expect.stringMatching(/^<passwordFile> .*ENOENT.*\/nowhere/),
    ]);
  });

  it('are none with one password of each kind', () => {
    const login = { username: 'u', password: 'p', sentinelPasswordFile: file('sentinel', 's') };
    expect(passwordFaults(login, nameOf)).toEqual([]);
  });
});

describe('faults of TLS', () => {
  it.each(['redis://host', 'unix:///run/redis.sock', 'redis+sentinel://host/main', 'redis+cluster://host'])(
    'are settings for TLS beside %s',
    url => {
      expect(tlsFaults({ caFile, serverName: 'redis.internal' }, url, nameOf)).toEqual([
        expect.stringMatching(/^<url> has no TLS, which <caFile>, <serverName> are for: write rediss:/),
      ]);
    },
  );

  it('are a certificate without its key, and a key without its certificate', () => {
    expect(tlsFaults({ certFile }, 'rediss://host', nameOf)).toEqual([
      '<keyFile> is missing: <certFile> needs it',
    ]);
    expect(tlsFaults({ keyFile }, 'rediss://host', nameOf)).toEqual([
      '<certFile> is missing: <keyFile> needs it',
    ]);
  });

  it('are files without a certificate or a key in PEM format, whose content is not repeated', () => {
    const [noCa, noKey] = [file('no-ca.pem', 'secret text'), file('no-key.pem', CERTIFICATE)];
    const faults = tlsFaults({ caFile: noCa, certFile, keyFile: noKey }, 'rediss://host', nameOf);
    expect(faults).toEqual([
      `<caFile> "${noCa}" has no certificate in PEM format`,
      `<keyFile> "${noKey}" has no private key in PEM format`,
    ]);
  });

  it('are none with good files', () => {
    expect(tlsFaults({ caFile, certFile, keyFile }, 'rediss+cluster://host', nameOf)).toEqual([]);
    expect(tlsFaults({ password: 'x' }, 'redis://host', nameOf)).toEqual([]);
  });
});

describe('at each connection', () => {
  it('files are read as they are now, without the end of the line', () => {
    const passwordFile = file('rotated', 'old\n');
    const options: RedisOptions = {};
    expect(applyLogin(options, { username: 'u', passwordFile })).toEqual([]);
    expect(options).toEqual({ username: 'u', password: 'old' });
    file('rotated', 'new\n');
    applyLogin(options, { username: 'u', passwordFile });
    expect(options.password).toBe('new');
  });

  it('a file that cannot be read leaves what was there before, and is reported without its content', () => {
    const passwordFile = file('emptied', 'old');
    const options: RedisOptions = { tls: {} };
    applyLogin(options, { passwordFile, caFile });
    file('emptied', '');
    const errors = applyLogin(options, { passwordFile, caFile: '/nowhere' });
    expect(errors.map(({ message }) => message)).toEqual([
      `"${passwordFile}" is empty`,
      expect.stringContaining('/nowhere'),
    ]);
    expect(options).toMatchObject({ password: 'old', tls: { ca: CERTIFICATE.trim() } });
  });

  it("the Sentinels get their own password, and Redis' certificates", () => {
    const options: RedisOptions = { sentinels: [{ host: 'a' }], tls: {} };
    applyLogin(options, { password: 'p', sentinelPassword: 's', caFile, certFile, keyFile, serverName: 'n' });
    const tls = { ca: CERTIFICATE.trim(), cert: CERTIFICATE.trim(), key: KEY.trim(), servername: 'n' };
    expect(options).toMatchObject({ password: 'p', sentinelPassword: 's', tls, sentinelTLS: tls });
  });

  it('without Sentinels their password stays away, and without TLS the certificates', () => {
    const options: RedisOptions = {};
    applyLogin(options, { sentinelPassword: 's', serverName: 'n' });
    expect(options).toEqual({});
  });

  it('a user without a password logs in with an empty one', () => {
    const options: RedisOptions = { username: 'u' };
    applyLogin(options, {});
    expect(options.password).toBe('');
  });
});
