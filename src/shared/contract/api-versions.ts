/**
 * The versions of HubSpot's association API, their paths, and HubSpot's calendar: until when each is supported, and from
 * when on to switch. Pure. docs/reference/api-versions.md lists what differs between them.
 */

export const API_VERSIONS = ['v4', '2025-09', '2026-03', '2026-09'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/** The version that a notice recommends: the newest that this release was tested with. */
export const NEWEST_VERSION: ApiVersion = '2026-09';

/**
 * `endsOn`: the last day of HubSpot's support, as announced. `notBefore`: no end is announced; HubSpot promises at least 18
 * months for a version that is named after a month (YYYY-MM-DD, the first day on which support may end).
 */
type Support = { readonly endsOn: string } | { readonly notBefore: string };
const SUPPORT: Readonly<Record<ApiVersion, Support>> = {
  v4: { endsOn: '2027-03-30' },
  '2025-09': { notBefore: '2027-03-01' },
  '2026-03': { notBefore: '2027-09-01' },
  '2026-09': { notBefore: '2028-03-01' },
};

const DAY_MS = 86_400_000;
/** Switching is due this long before the end of support. */
const NOTICE_DAYS = 90;

/** `supported`: nothing to do yet. `ending`: it is time to switch. `ended`: HubSpot may refuse calls at any time. */
export type VersionStage = 'supported' | 'ending' | 'ended';
export type VersionNotice = {
  readonly stage: VersionStage;
  /** until when HubSpot supports the version */
  readonly message: string;
  /** from when on to set which version; absent: nothing to do for this version */
  readonly remedy?: string;
};

/**
 * @param version one of {@link API_VERSIONS}; a worker of another release may report another version
 * @param now epoch ms
 * @returns undefined for an unknown version
 */
export function versionNotice(version: string, now: number): VersionNotice | undefined {
  if (!Object.hasOwn(SUPPORT, version)) return undefined;
  const support = SUPPORT[version as ApiVersion];
  return 'endsOn' in support
    ? announcedEnd(version, support.endsOn, now)
    : promisedTime(version, support.notBefore, now);
}

function announcedEnd(version: string, endsOn: string, now: number): VersionNotice {
  const end = Date.parse(endsOn);
  const switchOn = dayOf(end - NOTICE_DAYS * DAY_MS);
  // the last day of support is a day of support
  if (now >= end + DAY_MS)
    return {
      stage: 'ended',
      message: `HubSpot has not supported API ${version} since ${endsOn}, and may refuse its calls`,
      remedy: switchTo('now'),
    };
  if (now >= Date.parse(switchOn)) {
    const days = Math.ceil((end - now) / DAY_MS);
    const left = days > 0 ? `in ${days} day${days === 1 ? '' : 's'}` : 'today';
    return {
      stage: 'ending',
      message: `HubSpot's support of API ${version} ends on ${endsOn}, ${left}`,
      remedy: switchTo('now'),
    };
  }
  return {
    stage: 'supported',
    message: `HubSpot supports API ${version} until ${endsOn}`,
    remedy: switchTo(`from ${switchOn} on`),
  };
}

function promisedTime(version: string, notBefore: string, now: number): VersionNotice {
  if (now < Date.parse(notBefore))
    return {
      stage: 'supported',
      message: `HubSpot supports API ${version} at least until ${notBefore.slice(0, 7)}`,
    };
  return {
    stage: 'ending',
    message: `HubSpot promised to support API ${version} until ${notBefore.slice(0, 7)}; its changelog says how long it still does`,
    ...(version !== NEWEST_VERSION && { remedy: switchTo('now') }),
  };
}

const switchTo = (when: string): string =>
  `set HUBSPOT_API_VERSION=${NEWEST_VERSION} on every worker, gateway and library, ${when}`;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The notice as one sentence, for logs and the dashboard. */
export const noticeText = ({ message, remedy }: VersionNotice): string =>
  remedy === undefined ? message : `${message}: ${remedy}`;

/** The path of the association endpoints, without a slash at the end. */
export const associationsPath = (version: string): string =>
  version === 'v4' ? '/crm/v4/associations' : `/crm/associations/${version}`;

/** The path of the account-info endpoints that belong to a version. There is none for 2025-09. */
export const accountInfoPath = (version: string): string =>
  version === 'v4' || version === '2025-09' ? '/account-info/v3' : `/account-info/${version}`;
