/** Large bodies take turns; small ones do not wait; nothing is kept by who leaves. */
import { expect, it } from '@jest/globals';
import { BodyBudget, LARGE_BODY_BYTES, type Place } from '../../src/gateway/body-budget.js';

const LARGE = LARGE_BODY_BYTES * 2;

function bench(total = 100 * LARGE) {
  let collected = 0;
  const budget = new BodyBudget(2 * LARGE, total, () => {
    collected += 1;
  });
  const turns: number[] = [];
  const enter = (name: number, bytes = LARGE): Place => {
    const place = budget.enter(bytes);
    if (!place) throw new Error('there was no place');
    void place.turn?.then(() => turns.push(name));
    return place;
  };
  const soon = () => new Promise(resolve => setImmediate(resolve));
  return {
    budget,
    enter,
    turnsSoon: async () => {
      await soon();
      return turns;
    },
    get collected() {
      return collected;
    },
  };
}

it('lets in as many as fit, the others in the order in which they came', async () => {
  const { enter, turnsSoon } = bench();
  const [first, second] = [enter(1), enter(2), enter(3), enter(4)];
  expect(await turnsSoon()).toEqual([1, 2]);
  second?.leave();
  expect(await turnsSoon()).toEqual([1, 2, 3]);
  first?.leave();
  expect(await turnsSoon()).toEqual([1, 2, 3, 4]);
});

it('who leaves before its turn makes no room, and holds nobody up', async () => {
  const box = bench();
  const [first, , third] = [box.enter(1), box.enter(2), box.enter(3), box.enter(4)];
  third?.leave();
  expect(box.collected).toBe(0);
  expect(await box.turnsSoon()).toEqual([1, 2]);
  first?.leave();
  expect(box.collected).toBe(1);
  expect(await box.turnsSoon()).toEqual([1, 2, 4]);
});

it('a body larger than all that may be read at a time goes alone', async () => {
  const { enter, turnsSoon } = bench();
  const whole = enter(1, 3 * LARGE);
  enter(2);
  expect(await turnsSoon()).toEqual([1]);
  whole.leave();
  expect(await turnsSoon()).toEqual([1, 2]);
});

it('small ones never wait; all together have a limit', () => {
  const { budget, enter } = bench(3 * LARGE);
  const places = [enter(1), enter(2), enter(3, LARGE - 1_000)];
  const small = budget.enter(1_000);
  expect(small).toEqual({ turn: undefined, leave: expect.any(Function) });
  expect(budget.enter(1)).toBeUndefined();
  places[2]?.leave();
  expect(budget.enter(1_000)).toBeDefined();
});
