/** The table of workers. */
import type { View } from '../view.js';
import { byId, cell, element, row, table } from './dom.js';
import { bytes, clock, count } from './format.js';

const DOING: Readonly<Record<string, string>> = {
  starting: 'starting',
  standby: 'standby: steps in for the others',
  idle: 'idle',
  gathering: 'waiting for its turn or for a fuller batch',
  sending: 'sending',
  held: 'held',
  draining: 'ending: no new jobs',
};

export function showWorkers({ alive, vanished }: View['workers']): void {
  const host = byId('workers');
  const gone = vanished.map(({ id, lastSeen }) =>
    element(
      'p',
      { class: 'quiet' },
      `Worker ${id} fell silent at ${clock(lastSeen)} without a goodbye; its jobs come back by themselves.`,
    ),
  );
  if (alive.length === 0) {
    host.replaceChildren(
      element(
        'p',
        { class: 'empty' },
        'No worker is alive. Start one: ',
        element('code', {}, 'association-queue worker'),
      ),
      ...gone,
    );
    return;
  }
  const { wrap, body } = table('Workers that are alive', [
    ['Worker'],
    ['Does'],
    ['Calls in flight', 'number'],
    ['Associations in hand', 'number'],
    ['Memory', 'number'],
    ['Version'],
    ['Since'],
  ]);
  for (const each of alive)
    body.append(
      row(
        {},
        cell(
          undefined,
          undefined,
          `${each.host}:${each.pid}`,
          element('span', { class: 'example' }, each.id),
        ),
        cell('Does', undefined, DOING[each.state] ?? each.state),
        cell('Calls in flight', 'number', `${each.inFlight} of ${each.maxInFlight}`),
        cell('Associations in hand', 'number', count(each.associations)),
        cell('Memory', 'number', bytes(each.rssBytes)),
        cell('Version', undefined, each.version),
        cell('Since', undefined, clock(each.startedAt)),
      ),
    );
  host.replaceChildren(wrap, ...gone);
}
