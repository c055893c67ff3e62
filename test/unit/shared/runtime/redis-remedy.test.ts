/** What an operator reads when Redis cannot be used: the setting that helps. */
import { describe, expect, it } from '@jest/globals';
import { redisRemedy } from '../../../../src/shared/runtime/redis-remedy.js';

const target = (url: string, login = {}) => ({ url, prefix: 'bull', login });
const PLAIN = target('redis://host');
const TLS = target('rediss://host');
const WITH_CERTIFICATE = target('rediss://host', { certFile: 'a', keyFile: 'b' });

describe('the remedy', () => {
  it.each([
    [
      'no Sentinel leads to the primary: WRONGPASS invalid password',
      PLAIN,
      /^the Sentinels .*REDIS_SENTINEL_PASSWORD/,
    ],
    ['NOAUTH it asks for a password', PLAIN, /REDIS_USERNAME and REDIS_PASSWORD/],
    ['WRONGPASS invalid username-password pair or user is disabled.', PLAIN, /REDIS_USERNAME/],
    ["NOPERM this user has no permissions to run the 'eval' command", PLAIN, /docs\/operations\/redis\.md/],
    ['MOVED 9263 10.0.0.2:6379', PLAIN, /redis\+cluster:/],
    ['ERR This instance has cluster support disabled', target('redis+cluster://a,b'), /redis:\/\/host:port/],
    ['self-signed certificate in certificate chain', TLS, /^REDIS_CA_FILE/],
    ['unable to verify the first certificate', WITH_CERTIFICATE, /^REDIS_CA_FILE/],
    ['certificate has expired', TLS, /^renew Redis' certificate/],
    ["Hostname/IP does not match certificate's altnames: Host: a", TLS, /REDIS_TLS_SERVERNAME/],
    ['write ECONNRESET', TLS, /REDIS_CERT_FILE and REDIS_KEY_FILE/],
    ['TLS: tlsv13 alert certificate required', TLS, /REDIS_CERT_FILE and REDIS_KEY_FILE/],
    ['TLS: tlsv1 alert unknown ca', WITH_CERTIFICATE, /must trust the authority .* REDIS_CERT_FILE/],
    ['TLS: wrong version number', TLS, /does not speak TLS: write redis:\/\//],
    ['connect ETIMEDOUT', TLS, /write redis:\/\//],
    ['no answer within 5000 ms', TLS, /write redis:\/\//],
    ['read ECONNRESET', PLAIN, /write rediss:\/\//],
    ['write ECONNRESET', { host: 'a', tls: {} }, /REDIS_CERT_FILE/],
  ])('for "%s" at %j names what helps', (reason, address, remedy) => {
    expect(redisRemedy(reason, address)).toMatch(remedy);
  });

  it.each([
    ['connect ECONNREFUSED 127.0.0.1:6379', TLS],
    ['LOADING Redis is loading the dataset in memory', PLAIN],
    ['connect ETIMEDOUT', PLAIN],
    ['write ECONNRESET', WITH_CERTIFICATE],
    ['MOVED 9263 10.0.0.2:6379', target('redis+cluster://a,b')],
  ])('is left out for "%s" at %j, where nothing is known to be wrong', (reason, address) => {
    expect(redisRemedy(reason, address)).toBe('');
  });
});
