/** Options of redis-server for TLS beside its plain port, which stays for the test: it is the administrator there. */
import type { Authority, Certificate } from './certificates.js';
import { freePort, RedisServer } from './redis-server.js';

export type TlsServer = {
  readonly server: RedisServer;
  readonly tlsPort: number;
  /** `rediss://localhost:…` */
  readonly url: string;
  /** kill -9, and start with the files as they are now */
  startAgain(): Promise<void>;
};

/** @param clients whether Redis asks clients for a certificate @param more options of redis-server */
export async function startTlsServer(
  authority: Pick<Authority, 'file'>,
  { cert, key }: Certificate,
  clients: 'yes' | 'no' = 'yes',
  more: Readonly<Record<string, string>> = {},
): Promise<TlsServer> {
  const tlsPort = await freePort();
  const options = {
    'tls-port': String(tlsPort),
    'tls-ca-cert-file': authority.file,
    'tls-cert-file': cert,
    'tls-key-file': key,
    'tls-auth-clients': clients,
    ...more,
  };
  const server = await RedisServer.start(options);
  return {
    server,
    tlsPort,
    url: `rediss://localhost:${tlsPort}`,
    startAgain: async () => {
      await server.kill();
      await server.startAgain(options);
    },
  };
}
