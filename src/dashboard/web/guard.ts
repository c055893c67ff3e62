/**
 * Decides which requests are refused, by the route that matched and never by the spelling of the path. Pure.
 *  1. On a loopback address without a password the Host must be a loopback address: any other name may be a foreign page
 *     that points here (DNS rebinding).
 *  2. A foreign page must not use the queue through an operator's browser. It may only link to our pages. Sec-Fetch-Site
 *     says where a call comes from, otherwise Origin.
 *  3. State-changing calls must come from our pages; the dashboard's calls also need a header that no form can send.
 * password-door.ts checks passwords.
 */
import { isLoopbackHost } from '../../shared/runtime/host.js';

/**
 * The kind of a route, as its registration declares it. `health`: open to everybody. `page`: foreign pages may link to it.
 * `inside`: everything else, including paths that no route matches.
 */
export type Door = 'health' | 'page' | 'inside';
export type Headers = Readonly<Record<string, string | string[] | undefined>>;
export type AskedFor = {
  readonly method: string;
  readonly door: Door;
  /** Bull Board's page sends its calls without our header */
  readonly board: boolean;
  readonly headers: Headers;
};
export type GuardRefusal = { status: 401 | 403 | 421 | 429; message: string };

/** Our page sends it with every state-changing call. A foreign page would need a CORS preflight, which is refused. */
export const OWN_HEADER = 'x-association-queue';
const FROM_ELSEWHERE: GuardRefusal = { status: 403, message: 'Only the dashboard itself may make this call' };
const SAFE_METHODS = ['GET', 'HEAD'];

const header = (headers: Headers, name: string): string => String(headers[name] ?? '');

/** For a dashboard without a password. @returns why the Host is refused; undefined if it is allowed */
export const hostRefusal = (headers: Headers): GuardRefusal | undefined =>
  isLoopbackHost(header(headers, 'host'))
    ? undefined
    : {
        status: 421,
        message: 'This dashboard has no password and accepts only requests to a loopback address',
      };

/** @returns why the request is refused; undefined if it is allowed */
export function refusalOf(asked: AskedFor, readOnly: boolean): GuardRefusal | undefined {
  const { method, door, board, headers } = asked;
  if (SAFE_METHODS.includes(method)) {
    const welcome = !isFromElsewhere(headers) || (door === 'page' && isFollowedLink(headers));
    return welcome ? undefined : FROM_ELSEWHERE;
  }
  if (readOnly) return { status: 403, message: 'This dashboard is read-only (DASHBOARD_READ_ONLY)' };
  if (!isOwnPage(headers)) return FROM_ELSEWHERE;
  if (!board && header(headers, OWN_HEADER) === '')
    return { status: 403, message: `State-changing calls need the header ${OWN_HEADER}` };
  return undefined;
}

/** The browser sets these headers and no page can change them. A call without them (curl, Prometheus) comes from no page. */
function isFromElsewhere(headers: Headers): boolean {
  const site = header(headers, 'sec-fetch-site');
  if (site !== '') return site !== 'same-origin' && site !== 'none';
  const origin = header(headers, 'origin');
  return origin !== '' && !isOrigin(origin, headers);
}

/** @returns true if a person followed a link: no picture, no frame, no script */
const isFollowedLink = (headers: Headers): boolean =>
  header(headers, 'sec-fetch-mode') === 'navigate' && header(headers, 'sec-fetch-dest') === 'document';

function isOwnPage(headers: Headers): boolean {
  const site = header(headers, 'sec-fetch-site');
  // every current browser sends this header, and no page can change it
  if (site !== '') return site === 'same-origin';
  return isOrigin(header(headers, 'origin'), headers);
}

const isOrigin = (origin: string, headers: Headers): boolean =>
  URL.canParse(origin) && new URL(origin).host === header(headers, 'host').toLowerCase();
