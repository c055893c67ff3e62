/**
 * Who may do what: pure decisions about a request.
 *  1. Basic authentication, compared in constant time.
 *  2. A page elsewhere must not steer the queue through the browser of somebody who may: state-changing calls come from
 *     our own page (Sec-Fetch-Site, else Origin), ours with a header besides that no form can send.
 *  3. On a loopback address without a password the Host must be that address: a name that was made to point here
 *     (DNS rebinding) is somebody else's page.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { LOOPBACK } from '../../shared/config.js';

export type Credentials = { readonly user: string; readonly password: string };
export type GuardOptions = {
  /** undefined: anybody who reaches the address may look */
  readonly credentials: Credentials | undefined;
  readonly readOnly: boolean;
};
export type AskedFor = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};
export type Refusal = { status: 401 | 403 | 421; message: string };

/** Our page sends it with every state-changing call; another site's page would have to ask first, and is told no. */
export const OWN_HEADER = 'x-association-queue';
const FROM_ELSEWHERE: Refusal = { status: 403, message: 'Calls are taken from the dashboard itself only' };
const SAFE_METHODS = ['GET', 'HEAD'];

/** Why the request is refused; undefined when it is not. */
export function refusalOf(asked: AskedFor, { credentials, readOnly }: GuardOptions): Refusal | undefined {
  const { method, path, headers } = asked;
  const header = (name: string): string => String(headers[name] ?? '');
  if (!credentials && !LOOPBACK.test(hostName(header('host'))))
    return { status: 421, message: 'This dashboard has no password and answers to a loopback address only' };
  if (credentials && !mayEnter(header('authorization'), credentials))
    return { status: 401, message: 'User and password are needed' };
  if (SAFE_METHODS.includes(method)) {
    // a link from elsewhere to the page is welcome; a picture whose address is a search is not
    const isElsewhere = ['cross-site', 'same-site'].includes(header('sec-fetch-site'));
    return isElsewhere && path.startsWith('/api/') ? FROM_ELSEWHERE : undefined;
  }
  if (readOnly) return { status: 403, message: 'This dashboard is read-only (DASHBOARD_READ_ONLY)' };
  if (!isOwnPage(header('sec-fetch-site'), header('origin'), header('host'))) return FROM_ELSEWHERE;
  if (path.startsWith('/api/') && header(OWN_HEADER) === '')
    return { status: 403, message: `State-changing calls need the header ${OWN_HEADER}` };
  return undefined;
}

function mayEnter(authorization: string, { user, password }: Credentials): boolean {
  const given = Buffer.from(/^Basic +(\S+) *$/i.exec(authorization)?.[1] ?? '', 'base64').toString();
  return timingSafeEqual(digest(given), digest(`${user}:${password}`));
}
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function isOwnPage(fetchSite: string, origin: string, host: string): boolean {
  // every current browser sends it, and no page can change it
  if (fetchSite !== '') return fetchSite === 'same-origin';
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Without the port. */
const hostName = (host: string): string => host.toLowerCase().replace(/:\d+$/, '');
