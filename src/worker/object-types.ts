/** HubSpot has several names for the same object type: `contacts`, `contact`, `CONTACT` and `0-1` are one. Pure. */

const NAMES_BY_ID: Readonly<Record<string, string>> = {
  '0-1': 'contact',
  '0-2': 'company',
  '0-3': 'deal',
  '0-5': 'ticket',
  '0-7': 'product',
  '0-8': 'line_item',
  '0-27': 'task',
  '0-46': 'note',
  '0-47': 'meeting',
  '0-48': 'call',
  '0-49': 'email',
  '0-136': 'lead',
};

/** One spelling for all names of an object type; custom types (`2-17`, `p1_cars`) stay as they are. */
export function canonicalObjectType(name: string): string {
  const lower = name.toLowerCase();
  const byId = NAMES_BY_ID[lower];
  if (byId) return byId;
  if (/^\d+-\d+$|^p\d+_/.test(lower)) return lower;
  if (lower.endsWith('ies')) return `${lower.slice(0, -3)}y`;
  return lower.endsWith('s') ? lower.slice(0, -1) : lower;
}
