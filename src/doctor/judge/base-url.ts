/** Judges where calls go: to HubSpot itself, or to something that stands in for it. Pure. */
import { type Finding, fault, ok, warning } from '../finding.js';

const HUBSPOT = /(^|\.)hubapi\.com$/;

/** @param baseUrl a valid URL without user and password */
export function judgeBaseUrl(baseUrl: string): Finding {
  const { protocol, host, hostname } = new URL(baseUrl);
  if (!HUBSPOT.test(hostname))
    return warning(
      `calls go to ${protocol}//${host}, which is not HubSpot: what is created there is in no HubSpot account`,
      'for HubSpot itself unset HUBSPOT_BASE_URL (a proxy or the simulator is meant? then this is right)',
    );
  return protocol === 'https:'
    ? ok(`calls go to HubSpot (${host})`)
    : fault(
        `calls go to ${protocol}//${host}: the token is sent unencrypted`,
        'HUBSPOT_BASE_URL must start with https://',
      );
}
