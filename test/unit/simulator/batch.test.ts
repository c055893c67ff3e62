/** The body of a batch/create, read. */
import { describe, expect, it } from '@jest/globals';
import type { AssociationType } from '../../../src/shared/contract/association.js';
import { readBatch, TypeLists } from '../../../src/simulator/batch.js';

const type = (id: number, category: AssociationType['associationCategory'] = 'HUBSPOT_DEFINED') => ({
  associationCategory: category,
  associationTypeId: id,
});
const CONTACT_TO_COMPANY = type(279);

describe('a body', () => {
  const good = { from: { id: '1' }, to: { id: '2' }, types: [CONTACT_TO_COMPANY] };
  const read = (body: unknown) =>
    readBatch(
      Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      '0-1',
      '0-2',
      new TypeLists(),
    );
  const message = (body: unknown) => {
    const result = read(body);
    return 'refusal' in result ? (result.refusal.body as { message: string }).message : undefined;
  };

  it('that is not JSON is refused without a category', () => {
    expect(read('{"inputs":[')).toEqual({
      refusal: {
        status: 400,
        body: { status: 'error', message: expect.stringMatching(/^Invalid input JSON/) },
      },
    });
  });

  it.each([
    ['null', /inputs is required/],
    [{ inputs: [] }, /must not be empty/],
    [{ inputs: [null] }, /inputs\[0\]: from.id and to.id are required/],
    [{ inputs: [good, { ...good, to: {} }] }, /inputs\[1\]: from.id and to.id are required/],
    [{ inputs: [good, { ...good, types: [] }] }, /inputs\[1\]\.types/],
    [{ inputs: [{ ...good, types: [type(0)] }] }, /inputs\[0\]\.types\[0\]\.associationTypeId/],
    [{ inputs: [{ ...good, types: undefined }] }, /inputs\[0\]\.types/],
    [{ inputs: Array(2_001).fill(good) }, /maximum number of inputs supported in a batch is 2000/],
  ])('of a wrong form is refused with the place (case %#)', (body, expected) =>
    expect(message(body)).toMatch(expected),
  );

  it('may write ids as numbers and as text', () => {
    const result = read({ inputs: [{ ...good, from: { id: 17 } }, good] });
    expect(result).toMatchObject({ batch: { from: ['17', '1'], to: ['2', '2'] } });
  });
});
