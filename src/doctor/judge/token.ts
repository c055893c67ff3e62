/** Judges the access token: whether HubSpot accepts it, for which account, of which kind. Pure. */
import type { AccountDetails, TokenInfo, Told } from '../../hubspot/account.js';
import { type Finding, fault, ok, warning } from '../finding.js';

export type TokenFacts = {
  /** as its first letters tell */
  readonly kind: TokenKind;
  readonly details: Told<AccountDetails>;
  readonly info: Told<TokenInfo>;
};

/** `static`: of a private app or a service key, which have the same form */
export type TokenKind = 'static' | 'unknown';
export const kindOf = (token: string): TokenKind => (/^pat-[a-z]{2,}\d*-/.test(token) ? 'static' : 'unknown');

const RENEW =
  'set HUBSPOT_ACCESS_TOKEN to the token of a service key (or of an existing private app) of this account; with HUBSPOT_ACCESS_TOKEN_FILE the worker needs no restart';

export const NO_TOKEN: Finding = fault(
  'HUBSPOT_ACCESS_TOKEN is not set: the worker does not start without it',
  'create a service key in HubSpot (Development → Keys → Service keys) with write scopes for both object types, and set HUBSPOT_ACCESS_TOKEN or HUBSPOT_ACCESS_TOKEN_FILE',
);

export function judgeToken({ kind, details, info }: TokenFacts): Finding {
  if (details.kind === 'told')
    return ok(`HubSpot accepts the token: ${accountOf(details.facts)}, ${wordsOf(kind, info)}`);
  const { verdict, words } = details;
  if (info.kind === 'told' && verdict !== 'unauthorized')
    return ok(
      `HubSpot accepts the token: portal ${info.facts.portalId ?? 'unknown'}, ${wordsOf(kind, info)}`,
    );
  switch (verdict) {
    case 'unauthorized':
      return fault(`HubSpot refuses the token: ${words}`, RENEW);
    case 'forbidden':
      return ok(`HubSpot accepts the token, and does not tell its account (${words})`);
    case 'rate-limited':
      return warning(`HubSpot does not tell now: ${words}`, 'run doctor again in a minute');
    case 'migrating':
      return warning(`HubSpot is moving the account: ${words}`, 'nothing: the worker waits until it is done');
    case 'wrong-account':
      return fault(
        `HubSpot does not serve this account here: ${words}`,
        'check HUBSPOT_BASE_URL and the account',
      );
    case 'unavailable':
      return fault(
        `HubSpot cannot be asked: ${words}`,
        'check HUBSPOT_BASE_URL, the network, proxies, and https://status.hubspot.com',
      );
    default:
      return warning(
        `HubSpot does not tell the account of the token: ${words}`,
        'check HUBSPOT_API_VERSION and HUBSPOT_BASE_URL',
      );
  }
}

function accountOf({ portalId, accountType, dataHostingLocation }: AccountDetails): string {
  const about = [accountType, dataHostingLocation].filter(text => text !== undefined).join(', ');
  return `portal ${portalId ?? 'unknown'}${about && ` (${about})`}`;
}

function wordsOf(kind: TokenKind, info: Told<TokenInfo>): string {
  if (info.kind === 'told' && info.facts.appId !== undefined) return `private app ${info.facts.appId}`;
  return kind === 'static' ? 'token of a service key or a private app' : 'token of an unknown kind';
}
