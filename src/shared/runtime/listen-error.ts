/** Explains why a process cannot listen, and names the setting that helps. Pure. */
import { messageOf } from '../contract/errors.js';

export type ListenPlace = {
  readonly host: string;
  readonly port: number;
  /** what sets them: `GATEWAY_PORT`, or an option such as `--port` */
  readonly portSetting: string;
  readonly hostSetting: string;
};

/** Ports below this one need privileges on many systems. */
const FIRST_FREE_FOR_ALL = 1_024;

/** @returns an error in words for the operator, or the same error if its cause is another */
export function listenError(error: unknown, place: ListenPlace): unknown {
  const { host, port, portSetting, hostSetting } = place;
  const explained = (words: string) => new Error(words, { cause: error });
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'EADDRINUSE':
      return explained(
        `port ${port} on ${host} is taken by another process (EADDRINUSE): set ${portSetting} to another port, or to 0 for a free one`,
      );
    case 'EACCES':
      return explained(
        `this process may not listen on port ${port} (EACCES): set ${portSetting} to a port from ${FIRST_FREE_FOR_ALL} on`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return explained(
        `"${host}" is not an address of this machine (${messageOf(error)}): set ${hostSetting} to one, such as 127.0.0.1 or 0.0.0.0`,
      );
    default:
      return error;
  }
}

/** Listens, or fails with {@link listenError}. */
export async function listening<T>(listen: () => Promise<T>, place: ListenPlace): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    throw listenError(error, place);
  }
}
