/** What a check finds: how serious it is, in a sentence, and what to do about it. Pure. */
import type { RedisFault } from '../shared/runtime/redis-facts.js';

export type Status = 'ok' | 'warning' | 'fault';

export type Finding = {
  readonly status: Status;
  /** one sentence without a full stop */
  readonly message: string;
  /** what to do; absent if there is nothing to do */
  readonly remedy?: string;
};

export const ok = (message: string): Finding => ({ status: 'ok', message });
/** Works, but not as well or not as long as it should. */
export const warning = (message: string, remedy: string): Finding => ({ status: 'warning', message, remedy });
/** Does not work, or may lose what was accepted. */
export const fault = (message: string, remedy: string): Finding => ({ status: 'fault', message, remedy });
/** A finding in the words that every process has for it. @param more figures, or '' */
export const ofRedis = ({ level, text, remedy }: RedisFault, more = ''): Finding => ({
  status: level,
  message: text + more,
  remedy,
});

/** A check that could not be made, because of what another line says. */
export const notChecked = (why: string, remedy: string): Finding => warning(`${NOT_CHECKED}${why}`, remedy);
export const isNotChecked = ({ message }: Finding): boolean => message.startsWith(NOT_CHECKED);
const NOT_CHECKED = 'not checked, because ';

/** A finding with the name of its check. */
export type Reported = Finding & { readonly check: string };
