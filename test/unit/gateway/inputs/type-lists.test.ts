/** What one request may cost: different lists of types and labels, and the words of refusals, are bounded. */
import { expect, it } from '@jest/globals';
import { readInputs } from '../../../../src/gateway/inputs/inputs.js';
import { MAX_TYPE_LISTS } from '../../../../src/gateway/inputs/type-lists.js';
import type { Refusal } from '../../../../src/gateway/refusal.js';
import type { Wish } from '../../../../src/labels/choose-types.js';
import { readFields } from '../../../../src/shared/contract/association-fields.js';

const type = (associationTypeId: number) => ({ associationCategory: 'USER_DEFINED', associationTypeId });
const side = (id: number) => ({ from: { id: String(id) }, to: { id: String(id) } });

async function read(inputs: unknown[]) {
  const asked: Wish[] = [];
  const typesOf = (wish: Wish) => {
    asked.push(wish);
    return { types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 1 } as const] };
  };
  const result = await readInputs('deals', '2-7', { inputs }, { maxInputs: 50_000, typesOf }).catch(
    (error: Refusal) => error,
  );
  return { result, asked };
}
const each = (count: number, of: (at: number) => object) =>
  Array.from({ length: count }, (_, at) => ({ ...side(at + 1), ...of(at) }));

it.each([
  ['types', (at: number) => ({ types: [type(at + 1)] })],
  ['label', (at: number) => ({ label: `L${at}` })],
])('a request with more than a few hundred different %s is refused by index', async (place, of) => {
  const first = each(MAX_TYPE_LISTS + 2, of);
  // a list that was named before may be named again
  const { result, asked } = await read([...first, ...first.slice(0, 5)]);
  expect(result).toMatchObject({
    status: 400,
    message: `2 of ${MAX_TYPE_LISTS + 7} inputs cannot be enqueued; nothing was enqueued`,
    faults: [MAX_TYPE_LISTS, MAX_TYPE_LISTS + 1].map(index => ({
      in: `inputs[${index}].${place}`,
      message: expect.stringContaining(`more than ${MAX_TYPE_LISTS} different lists of types and labels`),
    })),
  });
  expect(asked.length).toBeLessThanOrEqual(place === 'label' ? MAX_TYPE_LISTS + 5 : 0);
});

it('a request may have as many lists of types as are allowed, in any order of their types', async () => {
  const inputs = each(3_000, at => {
    const [one, other] = [type((at % MAX_TYPE_LISTS) + 1), type(9_999)];
    return { types: at % 2 ? [one, other] : [other, one] };
  });
  expect((await read(inputs)).result).toMatchObject({ inputs: 3_000 });
});

it('a request with many bad inputs counts all, and words the first thousand faults', async () => {
  let looks = 0;
  const bad = {
    get associationCategory() {
      looks += 1;
      return 'X';
    },
    associationTypeId: 1,
  };
  const inputs = each(5_000, () => ({ types: Array(100).fill(bad) }));
  expect((await read(inputs)).result).toMatchObject({
    message: expect.stringMatching(/^5000 of 5000 inputs /),
  });
  // the check reads the first of each list a few times; only a hundred faults are described
  expect(looks).toBeLessThan(20 * inputs.length);
});

it('an input with many unknown names counts all, and words some', () => {
  const given = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`name${at}`, at]));
  expect(readFields(given).faults.slice(19)).toEqual([
    expect.stringMatching(/^name19: /),
    'fields: 980 more faults',
  ]);
  expect(readFields(given, { listed: 0 }).faults).toEqual(['fields: 1000 more faults']);
});
