/**
 * Chooses the types of an association that names a label, or neither label nor types, from the known labels of its object
 * pair. Pure: no I/O, no clock.
 */
import { type Association, type AssociationType, typeText } from '../shared/contract/association.js';
import { didYouMean, meant } from '../shared/contract/did-you-mean.js';
import { quote } from '../shared/contract/record-id.js';

/** A type of an object pair as `GET …/labels` returns it; label null = unlabelled. */
export type KnownLabel = AssociationType & { readonly label: string | null };
export type Wish = Pick<Association, 'fromObjectType' | 'toObjectType' | 'types' | 'label'>;

export type Choice =
  | { readonly kind: 'types'; readonly types: readonly AssociationType[] }
  /** no types: the fault begins with `label: ` or `types: ` and names the remedy. `unknown`: a newer list may have the label */
  | { readonly kind: 'fault'; readonly fault: string; readonly unknown: boolean };

/** Most known labels that a fault lists. */
const MAX_LISTED = 20;

/** @param refusal HubSpot's words on why it lists no labels for the object pair */
export function chooseTypes(wish: Wish, known: readonly KnownLabel[], refusal?: string): Choice {
  const { label, types = [] } = wish;
  if (refusal !== undefined) return refused(wish, refusal);
  if (label === undefined) return unlabelled(wish, known);
  const found = named(label, known);
  const [only] = found;
  if (!only) return fault(`label: ${notAmong(wish, label, known)}`, true);
  if (found.length > 1) return fault(`label: ${ambiguous(wish, label, found)}`);
  return { kind: 'types', types: [...types, typeOf(only)] };
}

const fault = (text: string, unknown = false): Choice => ({ kind: 'fault', fault: text, unknown });

/** Prefers the label exactly as written; otherwise ignores case and extra spaces. */
function named(label: string, known: readonly KnownLabel[]): KnownLabel[] {
  const exact = known.filter(type => type.label === label);
  if (exact.length > 0) return exact;
  return known.filter(type => type.label !== null && squeezed(type.label) === squeezed(label));
}

const squeezed = (label: string): string => label.trim().replace(/\s+/g, ' ').toLowerCase();

/** HubSpot has one unlabelled type for an object pair. If there are several, the one that HubSpot defined counts. */
function unlabelled(wish: Wish, known: readonly KnownLabel[]): Choice {
  const all = known.filter(({ label }) => label === null);
  const own = all.filter(({ associationCategory }) => associationCategory === 'HUBSPOT_DEFINED');
  const candidates = all.length > 1 ? own : all;
  const [only] = candidates;
  if (only && candidates.length === 1) return { kind: 'types', types: [typeOf(only)] };
  return fault(
    `types: no unlabelled type is known ${between(wish)}: give types, or a label${listed(known)}`,
    true,
  );
}

function refused(wish: Wish, refusal: string): Choice {
  const place = wish.label === undefined ? 'types' : 'label';
  const remedy = `give types${place === 'types' ? ' (such as USER_DEFINED:36)' : ' instead'}`;
  return fault(
    `${place}: the ${place === 'types' ? 'unlabelled type' : 'labels'} ${between(wish)} cannot be looked up: ${refusal}; ${remedy}`,
  );
}

function notAmong(wish: Wish, label: string, known: readonly KnownLabel[]): string {
  const nearest = meant(
    label,
    known.flatMap(type => type.label ?? []),
    { edits: name => Math.max(2, name.length / 4), as: squeezed },
  );
  const suggestion = didYouMean(nearest === undefined ? undefined : quote(nearest));
  return `${quote(label)} is not a label ${between(wish)}${suggestion}${listed(known) || ' (there is none)'}`;
}

function ambiguous(wish: Wish, label: string, found: readonly KnownLabel[]): string {
  const types = found.map(type => `${quote(type.label)} ${typeText(type)}`).join(', ');
  return `${quote(label)} ${between(wish)} may be any of ${types}: give types, or the label as it is written`;
}

function listed(known: readonly KnownLabel[]): string {
  const names = known.flatMap(type => (type.label === null ? [] : quote(type.label)));
  if (names.length === 0) return '';
  const more = names.length > MAX_LISTED ? ` and ${names.length - MAX_LISTED} more` : '';
  return ` (known: ${names.slice(0, MAX_LISTED).join(', ')}${more})`;
}

export const between = ({ fromObjectType, toObjectType }: Wish): string =>
  `from ${fromObjectType} to ${toObjectType}`;

const typeOf = ({ associationCategory, associationTypeId }: KnownLabel): AssociationType => ({
  associationCategory,
  associationTypeId,
});
