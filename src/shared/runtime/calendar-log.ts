/** Says at the start of a service until when HubSpot supports the API version that it uses. */
import { noticeText, versionNotice } from '../contract/api-versions.js';
import type { Logger } from './logger.js';

/** A warning once it is time to switch; before that, a line for those who plan ahead. @param now epoch ms */
export function logApiVersion(
  logger: Pick<Logger, 'info' | 'warn'>,
  version: string,
  now = Date.now(),
): void {
  const notice = versionNotice(version, now);
  if (notice?.remedy === undefined) return;
  const level = notice.stage === 'supported' ? 'info' : 'warn';
  logger[level]({ event: 'api-version', version }, noticeText(notice));
}
