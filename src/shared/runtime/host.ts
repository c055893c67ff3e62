/**
 * By which name a process that lets everybody in may be asked: on a loopback address without keys or a password, the Host
 * must be that address. A name that was made to point here (DNS rebinding) is somebody else's page. Pure.
 */

/** An address that only this machine reaches. */
export const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/** @param host the header of a request, with its port */
export const isLoopbackHost = (host: string): boolean =>
  LOOPBACK.test(host.toLowerCase().replace(/:\d+$/, ''));
