/** The inputs of a request: read into jobs, or refused by index. */
import { describe, expect, it } from '@jest/globals';
import { warningsHeader } from '../../../../src/gateway/answers.js';
import { fingerprint, readInputs } from '../../../../src/gateway/inputs/inputs.js';
import { Refusal } from '../../../../src/gateway/refusal.js';
import type { TypesOf } from '../../../../src/labels/type-resolver.js';
import { typeText } from '../../../../src/shared/contract/association.js';
import { LabelLookupError } from '../../../../src/shared/contract/errors.js';
import { inputOf } from '../../../support/samples.js';

/** Knows one label; the lookup of any other label that begins with "new" fails. */
const typesOf: TypesOf = ({ label }) => {
  if (label?.startsWith('new')) return Promise.reject(new LabelLookupError('HubSpot is away', 7_500));
  if (label !== undefined && label !== 'Chef') return Promise.resolve({ fault: `label: no "${label}"` });
  const associationTypeId = label === 'Chef' ? 36 : 279;
  return { types: [{ associationCategory: label ? 'USER_DEFINED' : 'HUBSPOT_DEFINED', associationTypeId }] };
};

describe('the inputs of a request', () => {
  const read = (body: unknown, maxInputs = 10) =>
    readInputs('contacts', 'companies', body, { maxInputs, typesOf });
  const refusalOf = async (run: () => Promise<unknown>): Promise<Refusal> => {
    try {
      await run();
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
    throw new Error('it was not refused');
  };

  it('are packed into jobs as the producer packs them, ids as strings', async () => {
    const other = {
      ...inputOf(3, '4'),
      types: [{ associationCategory: 'USER_DEFINED', associationTypeId: 7 }],
    };
    const { jobs, inputs } = await read({ inputs: [inputOf('1', 2), other, inputOf('5', '6')], more: true });
    expect(inputs).toBe(3);
    expect(jobs.map(({ pairs }) => pairs)).toEqual([
      [
        ['1', '2'],
        ['5', '6'],
      ],
      [['3', '4']],
    ]);
    expect(jobs[0]).toMatchObject({
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      source: 'gateway',
    });
  });

  it('are refused for a misspelt object type in the path; a custom one passes', async () => {
    const body = { inputs: [inputOf(1, 2)] };
    const refusal = await refusalOf(() =>
      readInputs('contcts', 'companys', body, { maxInputs: 10, typesOf }),
    );
    expect(refusal.status).toBe(400);
    expect(refusal.faults).toEqual([
      { message: expect.stringContaining('did you mean contacts?'), in: 'fromObjectType' },
      { message: expect.stringContaining('did you mean company?'), in: 'toObjectType' },
    ]);
    for (const custom of ['2-1234', 'p77_contcts', '0-31337'])
      expect((await readInputs(custom, 'companies', body, { maxInputs: 10, typesOf })).jobs).toHaveLength(1);
  });

  it('are refused with the index of every bad one', async () => {
    const long = 'x'.repeat(1_000_000);
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    const inputs = [
      inputOf(1, 2),
      null,
      { ...inputOf(1, 2), from: { id: long } },
      { ...inputOf(1, 2), to: { id: deep } },
      { ...inputOf(1, 2), types: [{ associationCategory: 'X', associationTypeId: deep }, deep] },
      { ...inputOf(1, 2), types: deep },
    ];
    const refusal = await refusalOf(() => read({ inputs }));
    expect(refusal.status).toBe(400);
    expect(refusal.message).toBe('5 of 6 inputs cannot be enqueued; nothing was enqueued');
    expect(refusal.faults.map(fault => fault.in)).toEqual([
      'inputs[1]',
      'inputs[2].from.id',
      'inputs[3].to.id',
      'inputs[4].types[0].associationCategory',
      'inputs[4].types[0].associationTypeId',
      'inputs[4].types[1].associationCategory',
      'inputs[4].types[1].associationTypeId',
      'inputs[5].types[0].associationCategory',
      'inputs[5].types[0].associationTypeId',
    ]);
    expect(JSON.stringify(refusal.faults).length).toBeLessThan(2_000);
  });

  it('may name a label or no type at all; odd types are warned of', async () => {
    const { from, to } = inputOf(1, 2);
    const reversed = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 280 }];
    const { jobs, warnings } = await read({
      inputs: [
        { from, to, label: 'Chef' },
        { from, to },
        { from, to, types: reversed },
      ],
    });
    expect(jobs.map(({ types }) => types.map(typeText))).toEqual([
      ['USER_DEFINED:36'],
      ['HUBSPOT_DEFINED:279'],
      ['HUBSPOT_DEFINED:280'],
    ]);
    expect(warnings).toEqual([expect.stringContaining('HUBSPOT_DEFINED:280 is from companies to contacts')]);
    expect(warningsHeader(warnings)).toBe(warnings[0]);
    expect(warningsHeader(Array(7).fill('odd'))).toBe('odd | odd | odd | odd | odd | and 2 more');
  });

  it('are refused for an unknown label, and with 503 when HubSpot cannot be asked for it', async () => {
    const { from, to } = inputOf(1, 2);
    const bad = await refusalOf(() =>
      read({
        inputs: [
          { from, to },
          { from, to, label: 'Cheef' },
          { from, to, label: [] },
          { from, to, label: 'x'.repeat(201) },
          { from, to, types: null },
        ],
      }),
    );
    expect(bad.status).toBe(400);
    expect(bad.faults).toEqual([
      { message: 'inputs[1].label: no "Cheef"', in: 'inputs[1].label' },
      { message: 'inputs[2].label: null is not a text', in: 'inputs[2].label' },
      { message: expect.stringContaining('is longer than 200 characters'), in: 'inputs[3].label' },
      { message: expect.stringContaining('null is not a list'), in: 'inputs[4].types' },
    ]);
    const away = await refusalOf(() => read({ inputs: [{ from, to, label: 'newer' }] }));
    expect(away).toMatchObject({
      status: 503,
      message: 'HubSpot is away; nothing was enqueued',
      headers: { 'retry-after': '8' },
    });
  });

  it('are refused with a bounded list of faults and their full number', async () => {
    const refusal = await refusalOf(() => read({ inputs: Array(5_000).fill({}) }, 5_000));
    expect(refusal.message).toMatch(/^5000 of 5000 /);
    expect(refusal.faults).toHaveLength(1_000);
  });

  it.each([undefined, null, 3, 'x', [], {}, { inputs: {} }, { inputs: [] }])(
    'are refused when the body is %j',
    async body => {
      expect((await refusalOf(() => read(body))).status).toBe(400);
    },
  );

  it('are refused with 413 when they are too many, and with 400 for a bad object type', async () => {
    expect((await refusalOf(() => read({ inputs: Array(11).fill(inputOf(1, 2)) }))).status).toBe(413);
    const refusal = await refusalOf(() =>
      readInputs('con tacts', 'x'.repeat(101), { inputs: [] }, { maxInputs: 1, typesOf }),
    );
    expect(refusal.faults.map(fault => fault.in)).toEqual(['fromObjectType', 'toObjectType']);
  });

  it('have the same fingerprint however they are spelled', async () => {
    const of = async (...inputs: unknown[]) => fingerprint((await read({ inputs })).jobs);
    const { from, to, types } = inputOf('1', '2');
    expect(await of({ types, to, from })).toBe(await of(inputOf(1, 2)));
    expect(await of({ from, to })).toBe(await of(inputOf(1, 2)));
    expect(await of(inputOf(1, 2))).not.toBe(await of(inputOf(1, 3)));
    expect(await of(inputOf(1, 2))).not.toBe(await of(inputOf(1, 2), inputOf(1, 2)));
  });
});

describe('an input', () => {
  const { types, ...untyped } = inputOf(1, 2);
  const noTypes = () => {
    throw new Error('nobody asked for the default');
  };
  const read = (...inputs: object[]) =>
    readInputs('contacts', 'companies', { inputs }, { maxInputs: 9, typesOf: noTypes });
  const type = { associationCategory: 'USER_DEFINED', associationTypeId: 36 };

  it.each<[object]>([
    [{ ...untyped, associationCategory: 'USER_DEFINED', associationTypeId: 36 }],
    [{ ...untyped, category: 'USER_DEFINED', typeId: '36' }],
    [{ ...untyped, types: [{ ...type, associationTypeId: '36' }] }],
    [{ _from: { id: '01' }, to: { id: '002' }, types: [type] }],
  ])('says its type in the fields %j', async input => {
    const { jobs } = await read(input);
    expect(jobs).toMatchObject([{ types: [type], pairs: [['1', '2']] }]);
  });

  it.each<[object, string, string]>([
    [{ ...untyped, type: types }, 'type', 'did you mean types?'],
    [
      { ...untyped, note: 'x' },
      'note',
      'an association has no such field (but from, to, types, label, category, typeId)',
    ],
    [{ ...untyped, types, fromType: 'deals' }, 'fromType', 'did you mean fromObjectType?'],
    [
      { ...untyped, types, toObjectType: 'deals' },
      'toObjectType',
      'the path says the object types; leave it out',
    ],
    [{ ...untyped, typeId: 36 }, 'typeId', 'a type needs a category, too'],
    [
      { ...untyped, types, category: 'WORK', typeId: 36 },
      'typeId',
      'says a type beside types; give one of them',
    ],
    [
      { ...untyped, types, label: 'a', associationLabel: 'b' },
      'associationLabel',
      'says the same as label; give one of them',
    ],
    [
      { from: { id: 1, type: 'deals' }, to: { id: 2 }, types },
      'from.type',
      'a record has an id and nothing else',
    ],
  ])('is refused with the name of the bad field: %j', async (input, place, words) => {
    const at = `inputs[1].${place}`;
    await expect(read(inputOf(1, 2), input)).rejects.toMatchObject({
      status: 400,
      faults: [{ message: `${at}: ${words}`, in: at }],
    });
  });

  it.each([
    ['types', types],
    ['label', 'Billing'],
    ['Association Label', 'Billing'],
    ['associationTypes', types],
    ['fromObjectType', 'deals'],
  ])('is refused when %s stands beside the list of inputs', async (name, value) => {
    const body = { inputs: [untyped], [name]: value };
    await expect(
      readInputs('contacts', 'companies', body, { maxInputs: 9, typesOf: noTypes }),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('nothing was enqueued'),
      faults: [{ message: `${name}: stands beside inputs; say it in each input`, in: name }],
    });
  });

  it('is refused after a hundred of a million names that stand beside the list', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_000_000 }, (_, at) => [`lable${at}`, at]));
    const reading = readInputs(
      'contacts',
      'companies',
      { inputs: [untyped], ...many },
      { maxInputs: 9, typesOf: noTypes },
    );
    await expect(reading).rejects.toMatchObject({
      status: 400,
      faults: expect.arrayContaining([{ message: 'more than 100 names beside inputs', in: 'inputs' }]),
    });
  });

  it('is refused for hundreds of thousands of unknown names', async () => {
    const input = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`name${at}`, at]));
    await expect(read(input)).rejects.toMatchObject({ status: 400 });
  });

  it.each(['\ud800', '1\u202e', '1\u0085', 'a\udc00b'])('is refused for the id %j', async id => {
    await expect(read({ from: { id }, to: { id: '2' }, types })).rejects.toMatchObject({
      faults: [{ in: 'inputs[0].from.id' }],
    });
  });

  it.each(['half \ud83d', 'two\nlines', '\u0000'])('is refused for the label %j', async label => {
    await expect(read({ ...untyped, label })).rejects.toMatchObject({ faults: [{ in: 'inputs[0].label' }] });
  });
});
