/** Judges HUBSPOT_API_VERSION by HubSpot's calendar. Pure. */
import { versionNotice } from '../../shared/contract/api-versions.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** @param version a known one @param now epoch ms */
export function judgeApiVersion(version: string, now: number): Finding {
  const notice = versionNotice(version, now);
  if (!notice)
    return warning(`API ${version} is unknown to this program`, 'install a newer version of this program');
  const { stage, message, remedy } = notice;
  const todo = remedy ?? "read HubSpot's changelog, or install a newer version of this program";
  if (stage === 'ended') return fault(message, todo);
  if (stage === 'ending') return warning(message, todo);
  return ok(remedy === undefined ? message : `${message}; ${remedy}`);
}
