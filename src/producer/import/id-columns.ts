/**
 * Columns that hold record ids under a name other than from and to: those of HubSpot's exports (`Record ID`,
 * `Associated Company IDs`), of its import files (`Record ID - Contact`), and plain ones (`contact_id`). Pure.
 */
import { objectTypeId, objectTypePlural } from '../../shared/contract/object-types.js';

export type IdColumn = {
  readonly index: number;
  /** as it is written in the header */
  readonly name: string;
  /**
   * own: the record of an exported line, whatever it is · record: `Record ID - Contact` · associated: the records that
   * are associated with the line's own · plain: `contact_id`
   */
  readonly kind: 'own' | 'record' | 'associated' | 'plain';
  /** standard object type in the plural, as in HubSpot's paths; undefined if the name does not say a standard one */
  readonly object: string | undefined;
};

const OWN = /^(?:record id|hs object id)$/;
const RECORD_OF = /^(?:record id (.+)|(.+) record id)$/;
const ASSOCIATED = /^associated (.+) ids?( primary)?$/;
const PLAIN = /^(.+) ids?$/;

export function idColumns(header: readonly string[]): IdColumn[] {
  const found = header.flatMap((name, index) => {
    const meaning = meaningOf(name);
    return meaning ? [{ index, name, ...meaning }] : [];
  });
  // `Associated Company IDs` holds those of `Associated Company IDs (Primary)` as well
  return found.filter(
    ({ name, kind, object }) =>
      !(
        isPrimary(name) &&
        found.some(other => other.kind === kind && other.object === object && !isPrimary(other.name))
      ),
  );
}

/** @returns what the name of a column says; undefined if it says nothing of record ids */
export function meaningOf(name: string): Pick<IdColumn, 'kind' | 'object'> | undefined {
  const words = wordsOf(name);
  if (OWN.test(words)) return { kind: 'own', object: undefined };
  const associated = ASSOCIATED.exec(words)?.[1];
  if (associated !== undefined) return { kind: 'associated', object: objectNamed(associated) };
  const [, after, before] = RECORD_OF.exec(words) ?? [];
  const record = after ?? before;
  if (record !== undefined) return { kind: 'record', object: objectNamed(record) };
  const object = objectNamed(PLAIN.exec(words)?.[1] ?? '');
  return object === undefined ? undefined : { kind: 'plain', object };
}

/** `Record ID - Contact` and `Record ID <CONTACT>` → `record id contact` */
const wordsOf = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();

const isPrimary = (name: string): boolean => / primary$/.test(wordsOf(name));

function objectNamed(words: string): string | undefined {
  const id = objectTypeId(words.replaceAll(' ', '_'));
  return id?.startsWith('0-') ? objectTypePlural(id) : undefined;
}
