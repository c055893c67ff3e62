/** Beginnings are read as they arrive; larger bodies take turns; a body that leaves keeps nothing. */
import { expect, it } from '@jest/globals';
import { type Body, BodyBudget, LARGE_BODY_BYTES } from '../../../../src/gateway/body/budget.js';

const LARGE = LARGE_BODY_BYTES * 2;

function bench(line = 100 * LARGE, beginnings = 100 * LARGE) {
  let collected = 0;
  const budget = new BodyBudget({ beginnings, turns: 2 * LARGE, line }, () => {
    collected += 1;
  });
  const turns: number[] = [];
  /** All of a body at once. */
  const enter = (name: number, bytes = LARGE): Body => {
    const body = budget.open(bytes);
    const turn = body.take(bytes);
    if (!(turn instanceof Promise)) throw new Error('it is not large, or there is no room');
    void turn.then(() => turns.push(name));
    return body;
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

it('the body budget lets in as many bodies as fit, and the others in the order of their arrival', async () => {
  const { budget, enter, turnsSoon } = bench();
  const [first, second] = [enter(1), enter(2), enter(3), enter(4)];
  expect(await turnsSoon()).toEqual([1, 2]);
  expect(budget.isAwaited).toBe(true);
  second?.leave();
  expect(await turnsSoon()).toEqual([1, 2, 3]);
  first?.leave();
  expect(await turnsSoon()).toEqual([1, 2, 3, 4]);
  expect(budget.isAwaited).toBe(false);
});

it('a body that leaves before its turn frees nothing and delays no other body', async () => {
  const box = bench();
  const [first, , third] = [box.enter(1), box.enter(2), box.enter(3), box.enter(4)];
  third?.leave();
  expect(box.collected).toBe(0);
  expect(await box.turnsSoon()).toEqual([1, 2]);
  first?.leave();
  first?.leave();
  expect(box.collected).toBe(1);
  expect(await box.turnsSoon()).toEqual([1, 2, 4]);
});

it('a body larger than the whole budget is read alone', async () => {
  const { enter, turnsSoon } = bench();
  const whole = enter(1, 3 * LARGE);
  enter(2);
  expect(await turnsSoon()).toEqual([1]);
  whole.leave();
  expect(await turnsSoon()).toEqual([1, 2]);
});

it('a body counts with the bytes that have arrived, not with those it has announced', () => {
  const { budget } = bench(3 * LARGE, 3_000);
  const silent = Array.from({ length: 1_000 }, () => budget.open(3 * LARGE));
  const [one, two, three] = silent as [Body, Body, Body];
  expect([one.take(1_000), two.take(1_000), one.take(1_000)]).toEqual([undefined, undefined, undefined]);
  expect(three.take(1)).toBe('full');
  two.leave();
  expect(three.take(1_000)).toBeUndefined();
});

it('the waiting line has a limit, and a body that has its turn is never stopped', async () => {
  const { budget, enter } = bench(3 * LARGE, LARGE_BODY_BYTES);
  const first = budget.open(LARGE);
  expect(first.take(LARGE_BODY_BYTES)).toBeUndefined();
  expect(budget.open(1).take(1)).toBe('full');
  expect(first.take(1)).toBeInstanceOf(Promise);
  expect(budget.open(1).take(1)).toBeUndefined();
  expect(first.take(LARGE_BODY_BYTES)).toBeUndefined();
  enter(2);
  enter(3);
  expect(budget.open(LARGE).take(LARGE)).toBe('full');
  first.leave();
  expect(budget.open(LARGE).take(LARGE)).toBeInstanceOf(Promise);
});
