/** Judges whether the queue may be worked on: a pause by an operator, a hold of the account. Pure. */
import type { QueueState } from '../../shared/state/queue-state.js';
import { type Finding, ok, warning } from '../finding.js';

export function judgeQueue({
  paused,
  hold,
  backlogAssociations,
  now,
}: Pick<QueueState, 'paused' | 'hold' | 'backlogAssociations' | 'now'>): Finding[] {
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
  if (found.length > 0) return found;
  const queued = Math.round(backlogAssociations).toLocaleString('en-US');
  return [ok(`the queue is neither paused nor held; about ${queued} associations are queued`)];
}
