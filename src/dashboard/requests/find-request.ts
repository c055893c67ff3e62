/**
 * Finds the request that a person means: by its id, or by the first characters of the id of a listed request. It reads the
 * ids of the list in windows, so no command grows with the list.
 */
import { ConfigError } from '../../shared/contract/errors.js';
import type { RequestReader } from '../../shared/state/requests.js';
import type { QueueAccess } from '../connection.js';

const WINDOW = 1_000;
/** Requests that an error names. */
const MOST_NAMED = 5;

type Access = Pick<QueueAccess, 'redis' | 'keys'>;

/**
 * @param isNamed whether something else that the command is about names this id, whose record may be gone by now
 * @returns the id of a request. @throws ConfigError if there is none, or if several begin like this
 */
export async function findRequest(
  access: Access,
  reader: RequestReader,
  given: string,
  isNamed: (id: string) => Promise<boolean> = async () => false,
): Promise<string> {
  if ((await reader.record(given)) || (await isNamed(given))) return given;
  const found = await listedWith(access, given.toLowerCase());
  const [id, ...others] = found;
  if (id === undefined) throw new ConfigError([unknownText(given)]);
  if (others.length > 0) throw new ConfigError([ambiguousText(given, found)]);
  return id;
}

async function listedWith({ redis, keys }: Access, start: string): Promise<string[]> {
  const found: string[] = [];
  for (let first = 0; start !== ''; first += WINDOW) {
    const ids = await redis.zrevrange(keys.requestList, first, first + WINDOW - 1);
    found.push(...ids.filter(id => id.toLowerCase().startsWith(start)));
    if (ids.length < WINDOW || found.length > MOST_NAMED) break;
  }
  return [...new Set(found)];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Requests of the gateway that share a record have UUIDs of version 8. */
const SHARED = /^.{14}8/;

function unknownText(given: string): string {
  const kept =
    'or it is no longer kept (REQUEST_RETENTION_DAYS after its end; a day if it has neither a name nor more than one job)';
  return `there is no request ${JSON.stringify(given)}, ${kept}: association-queue requests list shows them${elsewhere(given)}`;
}

/** Where a request may be that the list does not show. */
function elsewhere(given: string): string {
  if (!UUID.test(given))
    return '. The list and the beginning of an id leave out requests of few associations without a name: only its whole id finds such a request';
  return SHARED.test(given)
    ? `. It may be a request to the gateway that shares its job with others: the gateway's GET /requests/${given} knows it`
    : '';
}

function ambiguousText(given: string, found: readonly string[]): string {
  const more = found.length > MOST_NAMED ? ' and others' : '';
  return `several ids begin with ${JSON.stringify(given)}: give more of it (${found.slice(0, MOST_NAMED).join(', ')}${more})`;
}
