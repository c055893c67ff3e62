/** Searches for invalid inputs: how many run at once, and their share of calls. */
import { describe, expect, it } from '@jest/globals';
import { Notifier } from '../../../../src/shared/runtime/wait.js';
import { Searches } from '../../../../src/worker/calls/searches.js';

describe('searches', () => {
  it('are bounded, and say how much they cost and found', () => {
    const room = new Notifier();
    let rooms = 0;
    room.notify = () => {
      rooms += 1;
    };
    const searches = new Searches(2, room);
    const one = searches.begin(2_000);
    const other = searches.begin(100);
    expect(searches.begin(5)).toBeUndefined();
    expect(rooms).toBe(2);
    if (one) one.invalid = 7;
    for (const line of ['first', 'suspect', 'suspect', 'first', 'suspect'] as const) searches.called(line);
    expect(searches.report(30)).toEqual({ inputs: 2_130, invalid: 7, calls: 5, suspectCalls: 3 });
    if (one) searches.end(one);
    expect(searches.suspects).toBe(100);
    expect(searches.begin(5)).toBeDefined();
    if (other) searches.end(other);
    for (let call = 0; call < 200; call++) searches.called('first');
    expect(searches.report(0)).toEqual({ inputs: 5, invalid: 0, calls: 100, suspectCalls: 0 });
  });

  it('let batches without room come back after as long as searches take lately', () => {
    const searches = new Searches(1, new Notifier());
    expect(searches.againMs).toBeGreaterThanOrEqual(15_000);
    expect(searches.againMs).toBeLessThanOrEqual(30_000);
    for (let done = 0; done < 20; done++) {
      const search = searches.begin(1);
      if (search) searches.end(search);
    }
    expect(searches.againMs).toBeGreaterThanOrEqual(1_000);
    expect(searches.againMs).toBeLessThanOrEqual(2_000);
  });
});
