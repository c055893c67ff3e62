/** The first three steps, shown instead of empty charts and tables until something has been enqueued. */
import type { View } from '../view.js';
import { byId, element } from './dom.js';

type Known = Pick<View, 'figures' | 'rejections' | 'requests' | 'workers'>;

/** Pure. @returns true if this queue has never held anything, as far as is known */
export function isNew({ figures, rejections, requests }: Known): boolean {
  const { jobs, associations } = figures.stats;
  const counts = [
    ...Object.values(jobs),
    ...Object.values(associations),
    rejections.associations,
    requests.total,
  ];
  return counts.every(n => n === 0);
}

export function showSteps(known: Known): void {
  const fresh = isNew(known);
  byId('steps').hidden = !fresh;
  for (const part of document.querySelectorAll<HTMLElement>('[data-needs-work]')) part.hidden = fresh;
  const isAlive = known.workers.alive.length > 0;
  // a person may be copying a command
  if (fresh && isAlive !== shown) byId('step-list').replaceChildren(...steps(isAlive));
  shown = isAlive;
}
let shown: boolean | undefined;

function* steps(isAlive: boolean): Generator<HTMLElement> {
  yield step(
    isAlive,
    isAlive ? 'A worker is alive' : 'Start a worker',
    'association-queue worker',
    'It needs REDIS_URL and HUBSPOT_ACCESS_TOKEN, and it makes the calls.',
  );
  yield step(
    false,
    'Enqueue a file',
    'association-queue enqueue pairs.csv --from contacts --to companies --type HUBSPOT_DEFINED:279',
    'With a header from,to and one pair of record ids a line. Applications use the library, the gateway or any BullMQ client.',
  );
  yield step(
    false,
    'Follow it here',
    'association-queue stats --watch',
    'Or in a terminal. What HubSpot rejects stays here with its reason until you decide.',
  );
}

const step = (done: boolean, title: string, command: string, more: string): HTMLElement =>
  element(
    'li',
    { 'data-done': done },
    element('strong', {}, title, done && element('span', { class: 'hidden' }, ' (done)')),
    element('code', {}, command),
    element('span', { class: 'quiet' }, more),
  );
