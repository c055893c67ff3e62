/** Judges whether the queue may be worked on: a pause by an operator, a hold of the account or of object pairs. Pure. */
import type { HeldPair, QueueState } from '../../shared/state/queue-state.js';
import { type Finding, ok, warning } from '../finding.js';

/** Held object pairs with a line of their own. */
const MOST_NAMED = 3;

export function judgeQueue({
  paused,
  hold,
  heldPairs,
  backlogAssociations,
  now,
}: Pick<QueueState, 'paused' | 'hold' | 'heldPairs' | 'backlogAssociations' | 'now'>): Finding[] {
  const found: Finding[] = [];
  if (paused)
    found.push(
      warning(
        `the queue is paused by ${paused.by ?? 'another BullMQ client'}${paused.reason ? ` (${paused.reason})` : ''}`,
        'association-queue resume',
      ),
    );
  if (hold && hold.until >= now)
    found.push(
      warning(
        `calls to HubSpot are held until ${new Date(hold.until).toISOString()}: ${hold.reason}`,
        hold.kind === 'auth'
          ? 'see the line of the token'
          : 'nothing: the worker goes on by itself; see the other lines for the cause',
      ),
    );
  found.push(...heldPairs.slice(0, MOST_NAMED).map(judgeHeldPair));
  const more = heldPairs.length - MOST_NAMED;
  if (more > 0)
    found.push(
      warning(
        `${more} more object pair${more === 1 ? ' is' : 's are'} held`,
        'the dashboard lists all of them: association-queue dashboard',
      ),
    );
  if (found.length > 0) return found;
  const queued = Math.round(backlogAssociations).toLocaleString('en-US');
  return [ok(`the queue is neither paused nor held; about ${queued} associations are queued`)];
}

const judgeHeldPair = ({ objectPair, reason }: HeldPair): Finding =>
  warning(`the object pair ${objectPair.replace('/', ' → ')} is held: ${reason}`, remedyOf(reason));

/** @param reason begins with the status of HubSpot's answer, if an answer is the reason */
function remedyOf(reason: string): string {
  if (reason.startsWith('403 '))
    return 'add the scope that HubSpot asks for to the service key or app; the worker tries again by itself';
  if (reason.startsWith('423 ')) return 'nothing: the worker tries again by itself';
  return 'look at what was rejected (association-queue failures list), and correct the type where it is enqueued';
}
