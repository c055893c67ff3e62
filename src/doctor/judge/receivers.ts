/** Judges whether the hosts of webhooks and of the collector of traces can be reached. Pure. */
import type { Connection } from '../facts.js';
import { type Finding, fault, ok } from '../finding.js';

/** A setting with a URL, and the attempt to connect to its host; undefined: its URL is not valid */
export type Receiver = { readonly setting: string; readonly connection: Connection | undefined };

export function judgeReceivers(receivers: readonly Receiver[]): Finding[] {
  if (receivers.length === 0) return [ok('no webhook and no collector of traces is set')];
  return receivers.map(({ setting, connection }) => {
    if (!connection)
      return fault(`${setting} is not a URL that starts with https:// or http://`, `correct ${setting}`);
    const { place, tls, ms, problem } = connection;
    if (problem === undefined)
      return ok(
        `${setting}: a ${tls ? 'TLS' : 'TCP'} connection to ${place} opens in ${ms} ms${postedBy(setting)}`,
      );
    return fault(
      `${setting}: ${place} cannot be reached: ${problem}`,
      `check the host in ${setting}, its certificate, and firewalls and proxies on the way`,
    );
  });
}

const postedBy = (setting: string): string =>
  setting.endsWith('WEBHOOK_URL') ? '; nothing was posted (association-queue alerts test posts a test)' : '';
