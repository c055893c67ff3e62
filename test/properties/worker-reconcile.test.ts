/** Whatever HubSpot answers: the counts add up, and nothing is taken for created that is not in the results. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { answerOf, type Input, inputOf, reconcileInputs } from '../support/worker-samples.js';

// few ids on both sides, so that an id without its side is in doubt; ids of any size
const id = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map(String),
  fc.constantFrom('211762804612', '9007199254740991', 'unknown_id_1', '0'),
);
const call = fc.uniqueArray(
  fc.tuple(id, id).map(([from, to]) => inputOf(from, to)),
  { minLength: 1, maxLength: 40, selector: ({ from, to }) => `${from} ${to}` },
);
const status = fc.constantFrom(200, 201, 207);
/** A way to write an id: as a number where it is one. */
const written = (id: string, asNumber: boolean) => (asNumber && /^[1-9]\d*$/.test(id) ? Number(id) : id);

type Side = 'from' | 'to';
/** Errors as HubSpot words them, for one side of an input. */
const MANNERS: readonly ((input: Input, side: Side) => object)[] = [
  (input, side) => ({ context: { id: [input[side]] } }),
  (input, side) => ({ context: { objectId: input[side], objectType: side === 'from' ? 'CONTACT' : '0-2' } }),
  (input, side) => ({
    subCategory: `crm.associations.${side.toUpperCase()}_OBJECT_NOT_FOUND`,
    context: { id: [input[side]] },
  }),
  (input, side) => ({ message: `${input[side]} is not a valid ID` }),
  (input, side) => ({
    message: `No ${side === 'from' ? 'contact' : 'company'} with ID ${input[side]} exists`,
  }),
  input => ({ context: { fromObjectId: [input.from], toObjectId: [input.to] } }),
  (input, side) => ({ context: { [`${side}ObjectId`]: [input[side]] } }),
  () => ({ message: 'something else' }),
  () => ({}),
];

function checked(body: unknown, accepted: boolean, code: number, inputs: readonly Input[]) {
  const found = reconcileInputs(answerOf(code, body), accepted, {
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    inputs,
  });
  const all = [...found.created, ...found.named.map(({ input }) => input), ...found.rest, ...found.suspects];
  expect(all).toHaveLength(inputs.length);
  expect(new Set(all)).toEqual(new Set(inputs));
  if (accepted) expect(found.rest).toHaveLength(0);
  else expect(found.created).toHaveLength(0);
  return { ...found, everyone: new Set(all) };
}

describe('an accepted call', () => {
  it('created are exactly those in results, in any order, among extras, with ids of either kind', () => {
    fc.assert(
      fc.property(
        call,
        status,
        fc.infiniteStream(fc.boolean()),
        fc.array(fc.tuple(id, id), { maxLength: 5 }),
        fc.nat(),
        (inputs, code, coin, extras, turn) => {
          const toss = () => coin.next().value === true;
          const listed = inputs.filter(() => toss());
          const results = [...listed.map(({ from, to }) => [from, to] as const), ...extras].map(
            ([from, to]) => ({
              fromObjectId: written(from, toss()),
              toObjectId: written(to, toss()),
            }),
          );
          const at = turn % (results.length + 1);
          const body = { status: 'COMPLETE', results: [...results.slice(at), null, ...results.slice(0, at)] };
          const { created, suspects, named, allGuilty } = checked(body, true, code, inputs);
          const expected = inputs.filter(
            input =>
              listed.includes(input) ||
              extras.some(([from, to]) => from === input.from && to === input.to) ||
              // the other way round, where nobody asked for that pair itself
              (extras.some(([from, to]) => from === input.to && to === input.from) &&
                !inputs.some(({ from, to }) => from === input.to && to === input.from)),
          );
          expect(new Set(created)).toEqual(new Set(expected));
          expect(suspects).toHaveLength(inputs.length - expected.length);
          expect(named).toHaveLength(0);
          expect(allGuilty).toBe(false);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('only the guilty are named, and an error that says enough names them', () => {
    fc.assert(
      fc.property(
        call,
        status,
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean()), { maxLength: 6 }),
        (inputs, code, picks) => {
          const errors: object[] = [];
          const guilty = new Set<Input>();
          for (const [which, manner, isFrom] of picks) {
            const side = isFrom ? 'from' : 'to';
            const input = inputs[which % inputs.length] as Input;
            const write = MANNERS[manner % MANNERS.length];
            if (!write) continue;
            // a bad record is bad wherever it stands on that side; an error for a pair is for that pair
            const isPair = manner % MANNERS.length === 5;
            for (const other of inputs)
              if (isPair ? other === input : other[side] === input[side]) guilty.add(other);
            errors.push({ status: 'error', category: 'VALIDATION_ERROR', ...write(input, side) });
          }
          const good = inputs.filter(input => !guilty.has(input));
          const results = good.map(({ from, to }) => ({ fromObjectId: from, toObjectId: to }));
          const found = checked({ status: 'COMPLETE', results, errors }, true, code, inputs);
          expect(new Set(found.created)).toEqual(new Set(good));
          for (const { input, final, failure } of found.named) {
            expect(guilty.has(input)).toBe(true);
            expect(final).toBe(true);
            expect(failure.message).not.toBe('');
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a refused call', () => {
  it('names, suspects or frees nobody wrongly', () => {
    fc.assert(
      fc.property(call, fc.nat(), fc.nat(), fc.boolean(), (inputs, which, manner, isFrom) => {
        const side = isFrom ? 'from' : 'to';
        const input = inputs[which % inputs.length] as Input;
        const write = MANNERS[manner % MANNERS.length];
        const body = {
          status: 'error',
          category: 'VALIDATION_ERROR',
          message: 'One or more associations are invalid',
          ...write?.(input, side),
        };
        const found = checked(body, false, 400, inputs);
        for (const named of found.named) {
          const its = named.input;
          expect(its.from === input.from || its.to === input.to).toBe(true);
        }
        // the guilty one is never among those that are sent again as innocent
        expect(found.rest).not.toContain(input);
        if (found.named.length === 0) expect(found.suspects).toContain(input);
      }),
      { numRuns: 500 },
    );
  });
});

it('any JSON at all: the counts add up, and nothing is created that is not in results', () => {
  fc.assert(
    fc.property(
      call,
      fc.boolean(),
      fc.record(
        { results: fc.jsonValue(), errors: fc.jsonValue(), message: fc.jsonValue(), context: fc.jsonValue() },
        { requiredKeys: [] },
      ),
      (inputs, accepted, body) => {
        const found = checked(body, accepted, accepted ? 201 : 400, inputs);
        expect(found.created).toHaveLength(0);
        expect(typeof found.failure.message).toBe('string');
      },
    ),
    { numRuns: 500 },
  );
});
