/**
 * Opens a connection to the host of a URL (TCP, and TLS for https) and closes it. Sends no byte of HTTP, so that no webhook
 * can take it for an event.
 */
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Connection } from '../facts.js';

/** @param url a valid http or https URL @param boundMs longest time */
export function tryConnection(url: string, boundMs: number): Promise<Connection> {
  const { protocol, hostname, port } = new URL(url);
  const tls = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, ''); // IPv6
  const at = { host, port: Number(port) || (tls ? 443 : 80) };
  const since = performance.now();
  return new Promise(resolve => {
    // a certificate may name an address, but SNI may not
    const socket = tls ? connectTls({ ...at, ...(isIP(host) === 0 && { servername: host }) }) : connect(at);
    const end = (problem?: string) => {
      socket.destroy();
      const ms = Math.round(performance.now() - since);
      resolve({ place: `${hostname}:${at.port}`, tls, ms, ...(problem !== undefined && { problem }) });
    };
    socket.setTimeout(boundMs, () => end(`no answer within ${boundMs / 1_000} s`));
    socket.once(tls ? 'secureConnect' : 'connect', () => end());
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
