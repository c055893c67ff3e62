/**
 * Checks the Host header of a process without authentication: on a loopback address without keys or a password, the Host
 * must be a loopback address. Any other name may be a foreign page that points here (DNS rebinding). Pure.
 */

/** An address that only this machine can reach. */
export const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** @param host the header of a request, with its port */
export const isLoopbackHost = (host: string): boolean =>
  LOOPBACK.test(host.toLowerCase().replace(/:\d+$/, ''));
