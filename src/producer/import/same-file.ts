/**
 * Recognises a file that was enqueued before, by what it is: its content, and how its lines are understood. Whether an option
 * or the header says a column, an object type or the types makes no difference.
 */
import { createHash } from 'node:crypto';
import type { TypesOf } from '../../labels/type-resolver.js';
import { typesText } from '../../shared/contract/association.js';
import { sameTypeName } from '../../shared/contract/object-types.js';
import { objectPairOf, standardDefault } from '../../shared/contract/standard-types.js';
import type { RequestState, RequestView } from '../../shared/state/requests.js';
import type { Reading } from './line.js';
import { type FileUnderstanding, resolved } from './read-associations.js';
import type { Source } from './source.js';

/** The types of lines that say neither types nor a label; null: not known, so that the text of the label counts. */
export type OwnTypes = string | null;

/**
 * A lookup is asked for nothing that the first line would not ask as well. Never rejects: the lines report what fails.
 * @returns the types that an import gives to a line without any
 */
export async function typesOfOthers(
  { defaults, saysTypes }: FileUnderstanding,
  typesOf: TypesOf,
): Promise<OwnTypes> {
  const { fromObjectType, toObjectType, types, label } = defaults;
  if (types !== undefined && label === undefined) return typesText(types);
  if (fromObjectType === undefined || toObjectType === undefined) return null;
  const standard = standardDefault(objectPairOf(fromObjectType, toObjectType));
  if (standard && label === undefined) return typesText([standard]);
  if (saysTypes) return null;
  try {
    const found = await resolved({ fromObjectType, toObjectType, types, label }, typesOf);
    return found.types ? typesText(found.types) : null;
  } catch {
    return null;
  }
}

export type FileIdentity = {
  readonly sha256: string;
  readonly format: Source['format'];
  readonly reading: Reading;
  readonly understood: FileUnderstanding;
  readonly types: OwnTypes;
};

/** Pure. @returns what a file is recognised by */
export function fileHash({ sha256, format, reading, understood, types }: FileIdentity): string {
  const { defaults, columns = {}, delimiter, associated, encoding } = understood;
  const { fixIds = false, anyObjectType = false } = reading;
  const { fromObjectType, toObjectType, label } = defaults;
  const identity = {
    ...{ sha256, format, encoding, delimiter, associated, fixIds, anyObjectType, types },
    columns: Object.entries(columns).sort(([one], [other]) => (one < other ? -1 : 1)),
    from: fromObjectType && sameTypeName(fromObjectType),
    to: toObjectType && sameTypeName(toObjectType),
    label: types === null ? label : undefined,
  };
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** Why the file is not enqueued again, and how it can be. */
export function sameFile(path: string, id: string, view: RequestView | undefined): string {
  const remedies: Partial<Record<RequestState, string>> = {
    interrupted: `go on with it (--resume ${id}), or add --again`,
    enqueueing: `wait for it (requests wait ${id}); if its process has died, go on with it in 15 s (--resume ${id})`,
  };
  const remedy = (view && remedies[view.state]) ?? 'if it is meant to be enqueued again, add --again';
  return `${path} was enqueued before: ${view ? beforeText(view) : `request ${id}`}; ${remedy}`;
}

/** Pure. @param again the command will enqueue it nevertheless */
export const sameFileText = (path: string, view: RequestView, again: boolean): string =>
  again ? `${path} was enqueued before: ${beforeText(view)}` : sameFile(path, view.id, view);

const beforeText = ({
  id,
  enqueuedAt,
  by,
  state,
  created,
  rejected,
  cancelled,
  queued,
}: RequestView): string => {
  const taken = cancelled > 0 ? `, ${cancelled} cancelled` : '';
  return `request ${id} of ${enqueuedAt}${by ? ` by ${by}` : ''} (${state}: ${created} created, ${rejected} rejected${taken}, ${queued} queued)`;
};
