/**
 * Reads the X-Priority header: `high` or `normal`. Pure. It does not read RFC 9218's `Priority`, which browsers and HTTP
 * libraries send with every request for another purpose: docs/decisions/0008-priority.md
 */
import { PRIORITIES, type Priority } from '../../shared/contract/keys.js';
import { Refusal } from '../refusal.js';

/** @throws Refusal 400 for another value, so that a misspelt priority does not go unnoticed */
export function readPriority(given: string | string[] | undefined): Priority {
  if (given === undefined) return 'normal';
  const priority = String(given).trim().toLowerCase();
  const known = PRIORITIES.find(name => name === priority);
  if (known) return known;
  throw new Refusal(400, `X-Priority must be ${PRIORITIES.join(' or ')}`, [
    { message: `it is ${JSON.stringify(priority.slice(0, 80))}`, in: 'X-Priority' },
  ]);
}
