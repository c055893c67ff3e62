/** What HubSpot's calendar asks of the operator, for the API versions that living workers use. Pure. */
import { noticeText, versionNotice } from '../../shared/contract/api-versions.js';
import type { WorkerReport } from '../../shared/state/worker-reports.js';

/** @param now epoch ms @returns one sentence for each version that is to be replaced */
export function versionNotices(alive: readonly Pick<WorkerReport, 'apiVersion'>[], now: number): string[] {
  const versions = new Set(alive.flatMap(({ apiVersion }) => apiVersion ?? []));
  return [...versions].sort().flatMap(version => {
    const notice = versionNotice(version, now);
    return notice?.remedy === undefined ? [] : [noticeText(notice)];
  });
}
