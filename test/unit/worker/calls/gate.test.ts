/** The gate before the quota: which line is next, how many calls are in flight, and what a permit says. */
import { describe, expect, it } from '@jest/globals';
import { ANY_TIME } from '../../../../src/hubspot/departure.js';
import type { Permit } from '../../../../src/hubspot/quota.js';
import type { Passage } from '../../../../src/hubspot/turnstile.js';
import { Notifier } from '../../../../src/shared/runtime/wait.js';
import type { Line } from '../../../../src/worker/batches/submission.js';
import { type Entry, Gate, type Size, type Turn } from '../../../../src/worker/calls/gate.js';

const PERMIT = { kind: 'granted', high: 0, slot: ANY_TIME } as Permit;
const settled = () => new Promise(resolve => setImmediate(resolve));
const { signal } = new AbortController();

function bench(maxConcurrentCalls: number, { isScarce = true, passages = [] as Passage[] } = {}) {
  let asking = 0;
  let mostAsking = 0;
  const released: Permit[] = [];
  const turns: Line[] = [];
  const high: number[] = [];
  const work = new Notifier();
  const spread: boolean[] = [];
  const gate = new Gate({
    quota: {
      release: async permit => {
        released.push(permit);
        return 0;
      },
    },
    turnstile: {
      isScarce,
      pass: async (_partial, _signal, isSpread) => {
        spread.push(isSpread ?? false);
        asking += 1;
        mostAsking = Math.max(mostAsking, asking);
        await settled();
        asking -= 1;
        return passages.shift() ?? PERMIT;
      },
    },
    maxConcurrentCalls,
    searches: { called: line => turns.push(line) },
    flow: { foundHigh: jobs => high.push(jobs) },
    work,
  });
  const pass = (line: Line, size: Size = 'full') => gate.pass(line, size, signal);
  return { gate, pass, turns, high, work, spread, released, mostAsking: () => mostAsking };
}

/** A line that always wants another call, each of which ends at once. */
async function keepAsking(box: ReturnType<typeof bench>, line: Line, calls: number): Promise<void> {
  for (let call = 0; call < calls; call++) leave(await box.pass(line));
}
const leave = (entry: Entry) => (entry as Turn).leave();

describe('the gate', () => {
  it('asks for permits that are spread over the window for suspects, and for no others', async () => {
    const box = bench(10);
    for (const line of ['suspect', 'first', 'suspect'] as const) leave(await box.pass(line));
    expect(box.spread).toEqual([true, false, true]);
  });

  it('gives suspects every other call while first-timers wait, however many suspects ask', async () => {
    const box = bench(10);
    const suspects = Array.from({ length: 16 }, () => keepAsking(box, 'suspect', 5));
    await keepAsking(box, 'first', 30);
    const inFirstSixty = box.turns.slice(0, 60).filter(line => line === 'first');
    expect(inFirstSixty.length).toBeGreaterThanOrEqual(29); // the first caller goes before there is another
    await Promise.all(suspects);
    expect(box.turns).toHaveLength(110);
    expect(box.mostAsking()).toBe(1);
  });

  it('gives them all calls while no first-timer waits', async () => {
    const box = bench(2);
    await Promise.all(Array.from({ length: 5 }, () => keepAsking(box, 'suspect', 4)));
    expect(box.turns).toEqual(new Array(20).fill('suspect'));
  });

  it.each([true, false])(
    'has no more calls in flight than slots, and loses none (scarce: %s)',
    async isScarce => {
      const box = bench(2, { isScarce });
      const turns: Turn[] = [];
      const take = (line: Line) => box.pass(line, 'urgent').then(entry => turns.push(entry as Turn));
      const all = [take('first'), take('suspect'), take('suspect'), take('first')];
      for (let round = 0; round < 20; round++) await settled();
      expect(turns).toHaveLength(2);
      expect(box.gate.inFlight).toBe(2);
      for (let ended = 0; ended < 4; ended++) {
        (turns[ended] as Turn).leave();
        for (let round = 0; round < 10; round++) await settled();
        expect(turns).toHaveLength(Math.min(4, ended + 3));
      }
      await Promise.all(all);
      expect(box.gate.inFlight).toBe(0);
    },
  );

  it('passes on how many jobs of high priority wait, whoever the permit is for, and notifies who fetches them', async () => {
    const passages = [2, 0, 3].map(high => ({ ...PERMIT, high }));
    const box = bench(10, { passages });
    const heard = box.work.wait();
    leave(await box.pass('suspect'));
    await heard;
    for (const line of ['first', 'suspect'] as const) leave(await box.pass(line));
    expect(box.high).toEqual([2, 0, 3]);
  });

  it('lets the other line pass when one is told to wait, or fails', async () => {
    const box = bench(1, { passages: [{ kind: 'paced', forMs: 5 }] });
    const [paced, other] = await Promise.all([box.pass('first', 'partial'), box.pass('suspect')]);
    expect(paced).toEqual({ kind: 'paced', forMs: 5 });
    leave(other);
    expect(box.gate.inFlight).toBe(0);
  });
});
