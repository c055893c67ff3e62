/**
 * What is refused of whom, decided by the route that matched and never by the path as it was written: pure decisions.
 *  1. On a loopback address without a password the Host must be that address: a name that was made to point here
 *     (DNS rebinding) is somebody else's page.
 *  2. A page elsewhere must not use the queue through the browser of somebody who may: it may link to our pages, and
 *     that is all. Sec-Fetch-Site says where a call comes from, else Origin.
 *  3. State-changing calls come from our own pages, the dashboard's with a header besides that no form can send.
 * Passwords are password-door.ts.
 */
import { isLoopbackHost } from '../../shared/runtime/host.js';

/**
 * What a route is, as its registration says. `health`: for everybody. `page`: pages elsewhere may link to it. `inside`:
 * everything else, also what no route matches.
 */
export type Door = 'health' | 'page' | 'inside';
export type Headers = Readonly<Record<string, string | string[] | undefined>>;
export type AskedFor = {
  readonly method: string;
  readonly door: Door;
  /** Bull Board's own page sends its calls without our header */
  readonly board: boolean;
  readonly headers: Headers;
};
export type Refusal = { status: 401 | 403 | 421 | 429; message: string };

/** Our page sends it with every state-changing call; another site's page would have to ask first, and is told no. */
export const OWN_HEADER = 'x-association-queue';
const FROM_ELSEWHERE: Refusal = { status: 403, message: 'Calls are taken from the dashboard itself only' };
const SAFE_METHODS = ['GET', 'HEAD'];

const header = (headers: Headers, name: string): string => String(headers[name] ?? '');

/** For a dashboard without a password. @returns why the name it was asked by is refused */
export const hostRefusal = (headers: Headers): Refusal | undefined =>
  isLoopbackHost(header(headers, 'host'))
    ? undefined
    : { status: 421, message: 'This dashboard has no password and answers to a loopback address only' };

/** Why the request is refused, whoever sends it; undefined when it is not. */
export function refusalOf(asked: AskedFor, readOnly: boolean): Refusal | undefined {
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

/** A browser says so, and no page can make it say otherwise. What says nothing (curl, Prometheus) is no page's call. */
function isFromElsewhere(headers: Headers): boolean {
  const site = header(headers, 'sec-fetch-site');
  if (site !== '') return site !== 'same-origin' && site !== 'none';
  const origin = header(headers, 'origin');
  return origin !== '' && !isOrigin(origin, headers);
}

/** A person goes there: no picture, no frame, no script. */
const isFollowedLink = (headers: Headers): boolean =>
  header(headers, 'sec-fetch-mode') === 'navigate' && header(headers, 'sec-fetch-dest') === 'document';

function isOwnPage(headers: Headers): boolean {
  const site = header(headers, 'sec-fetch-site');
  // every current browser sends it, and no page can change it
  if (site !== '') return site === 'same-origin';
  return isOrigin(header(headers, 'origin'), headers);
}

const isOrigin = (origin: string, headers: Headers): boolean =>
  URL.canParse(origin) && new URL(origin).host === header(headers, 'host').toLowerCase();
