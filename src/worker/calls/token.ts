/** Provides the access token, and reads it again from the file that HUBSPOT_ACCESS_TOKEN_FILE names. */

import { messageOf } from '../../shared/contract/errors.js';
import { type Config, readSecretFile } from '../../shared/runtime/config.js';
import type { Logger } from '../../shared/runtime/logger.js';

export type TokenSource = { current: () => string; renew: (sentAt: number) => Promise<boolean> };

export function tokenSource(config: Config, logger: Logger): TokenSource {
  let token = config.hubspotAccessToken ?? '';
  let renewedAt = 0;
  return {
    current: () => token,
    async renew(sentAt) {
      // calls that were in flight at the same time are refused at the same time: the first one renews the token for all
      if (renewedAt > sentAt) return true;
      const file = config.hubspotAccessTokenFile;
      if (!file) return false;
      try {
        const newest = readSecretFile(file);
        if (newest === token) return false;
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
