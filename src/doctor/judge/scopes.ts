/** Judges what the token may write, as far as HubSpot tells it. Pure. */
import type { TokenInfo, Told } from '../../hubspot/account.js';
import { isCustomObject, objectTypeId, objectTypePlural } from '../../shared/contract/object-types.js';
import { type Finding, fault, ok, warning } from '../finding.js';

/** Scopes that do not follow the pattern `crm.objects.<plural>.write`. */
const ODD: Readonly<Record<string, string>> = { '0-5': 'tickets' };
const WRITES = /^(crm\.objects\..+\.write|tickets)$/;

/** @param objectTypes of queued jobs, under any of their names */
export function judgeScopes(info: Told<TokenInfo>, objectTypes: readonly string[]): Finding {
  const scopes = info.kind === 'told' ? info.facts.scopes : undefined;
  if (scopes === undefined) {
    const why = info.kind === 'told' ? '' : ` (${info.words})`;
    return ok(
      `HubSpot does not tell the scopes of the token${why}; a missing one is a 403, which holds its object pair`,
    );
  }
  const writes = scopes.filter(scope => WRITES.test(scope)).sort();
  if (writes.length === 0)
    return fault(
      'the token may write no objects',
      'add write scopes for both object types to the key or app',
    );
  const missing = objectTypes.flatMap(type => {
    const scope = scopeOf(type);
    return scope === undefined || scopes.includes(scope) ? [] : scope;
  });
  if (missing.length > 0)
    return warning(
      `the token lacks scopes for object types that are queued: ${[...new Set(missing)].join(', ')}`,
      'add them to the key or app; a private app gets a new token for them',
    );
  return ok(`the token may write: ${writes.join(', ')}`);
}

/** @returns undefined if the name says nothing about the scope */
function scopeOf(objectType: string): string | undefined {
  const id = objectTypeId(objectType);
  if (id === undefined) return undefined;
  if (isCustomObject(id)) return 'crm.objects.custom.write';
  // activities (notes, calls, tasks …) have the scopes of the records that they are about
  return ODD[id] ?? (PATTERN_HOLDS.has(id) ? `crm.objects.${objectTypePlural(id)}.write` : undefined);
}
/** contacts, companies, deals, line items, quotes, leads */
const PATTERN_HOLDS: ReadonlySet<string> = new Set(['0-1', '0-2', '0-3', '0-8', '0-14', '0-136']);
