/** Provides the access token, and reads it again from the file that HUBSPOT_ACCESS_TOKEN_FILE names. */

import { messageOf } from '../../shared/contract/errors.js';
import { type Config, readSecretFile } from '../../shared/runtime/config.js';
import type { Logger } from '../../shared/runtime/logger.js';

export type TokenSource = { current: () => string; renew: (sentAt: number) => Promise<boolean> };

/** Calls in flight are refused together, and then one probe after each pause: one line a minute says it. */
const SAY_AGAIN_MS = 60_000;

export function tokenSource(config: Config, logger: Logger): TokenSource {
  let token = config.hubspotAccessToken ?? '';
  let renewedAt = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  const refused = (remedy: string): false => {
    const now = performance.now();
    if (now - saidAt < SAY_AGAIN_MS) return false;
    saidAt = now;
    logger.warn({ event: 'token' }, `HubSpot refuses the access token; nothing is lost. ${remedy}`);
    return false;
  };
  return {
    current: () => token,
    async renew(sentAt) {
      // calls that were in flight at the same time are refused at the same time: the first one renews the token for all
      if (renewedAt > sentAt) return true;
      const file = config.hubspotAccessTokenFile;
      if (!file)
        return refused(
          'Start again with a valid HUBSPOT_ACCESS_TOKEN; a file that HUBSPOT_ACCESS_TOKEN_FILE names is read again without a restart',
        );
      try {
        const newest = readSecretFile(file);
        if (newest === token)
          return refused(
            'Write a valid one into the file that HUBSPOT_ACCESS_TOKEN_FILE names; it is read again',
          );
        token = newest;
        renewedAt = performance.now();
        return true;
      } catch (error) {
        logger.error({ event: 'token', error: messageOf(error) }, 'HUBSPOT_ACCESS_TOKEN_FILE cannot be read');
        return false;
      }
    },
  };
}
