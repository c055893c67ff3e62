/** The gateway's pure parts: preferences, keys, inputs, answers, configuration. */
import { describe, expect, it } from '@jest/globals';
import { completeAnswer, warningsHeader } from '../../src/gateway/answers.js';
import { createGuard } from '../../src/gateway/headers/bearer.js';
import { parsePrefer, preferenceApplied } from '../../src/gateway/headers/prefer.js';
import { fingerprint, readInputs } from '../../src/gateway/inputs/inputs.js';
import { asRefusal, Refusal } from '../../src/gateway/refusal.js';
import { openApi } from '../../src/gateway/routes/openapi.js';
import type { TypesOf } from '../../src/labels/type-resolver.js';
import { typeText } from '../../src/shared/contract/association.js';
import { ConfigError, LabelLookupError } from '../../src/shared/contract/errors.js';
import { parseConfig } from '../../src/shared/runtime/config.js';
import { inputOf } from '../support/gateway.js';

describe('Prefer', () => {
  it.each([
    [undefined, false, 0],
    ['respond-async', true, 0],
    ['wait=10', false, 10],
    ['Wait = "5" , Respond-Async; foo=1', true, 5],
    ['wait=61', false, 60],
    ['wait=5, wait=9', false, 5],
    ['wait=-1, wait=x, return=minimal', false, 0],
    ['wait=99999999999999', false, 0],
    [['wait=2', 'respond-async'], true, 2],
  ])('%j', (header, respondAsync, waitSeconds) => {
    expect(parsePrefer(header)).toEqual({ respondAsync, waitSeconds });
  });

  it('says what was applied', () => {
    expect(preferenceApplied({ respondAsync: true, waitSeconds: 3 })).toBe('respond-async, wait=3');
    expect(preferenceApplied({ respondAsync: false, waitSeconds: 0 })).toBeUndefined();
  });
});

describe('bearer keys', () => {
  const callerOf = createGuard(['one', 'two']);
  it.each(['Bearer two', 'bearer two', 'BEARER  two '])('%j is the same caller', given => {
    expect(callerOf(given)).toMatch(/^[\w-]{22}$/);
    expect(callerOf(given)).toBe(callerOf('Bearer two'));
    expect(callerOf(given)).not.toBe(callerOf('Bearer one'));
  });
  it.each([undefined, '', 'one', 'Bearer', 'Bearer ', 'Bearer o', 'Bearer one two', 'Basic one'])(
    '%j may not',
    given => {
      expect(callerOf(given)).toBeUndefined();
    },
  );
  it('none configured: everybody may', () => {
    expect(createGuard([])(undefined)).toBe('');
  });
});

/** Knows one label; nobody can be asked for any other that begins with "new". */
const typesOf: TypesOf = ({ label }) => {
  if (label?.startsWith('new')) return Promise.reject(new LabelLookupError('HubSpot is away', 7_500));
  if (label !== undefined && label !== 'Chef') return Promise.resolve({ fault: `label: no "${label}"` });
  const associationTypeId = label === 'Chef' ? 36 : 279;
  return { types: [{ associationCategory: label ? 'USER_DEFINED' : 'HUBSPOT_DEFINED', associationTypeId }] };
};

describe('inputs', () => {
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

  it('every bad one is named by its index', async () => {
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

  it('may name a label, or say nothing; of odd types it warns', async () => {
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

  it('an unknown label is a fault of its input; when nobody can be asked, the gateway is unavailable', async () => {
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

  it('the list of faults is bounded, the number is not', async () => {
    const refusal = await refusalOf(() => read({ inputs: Array(5_000).fill({}) }, 5_000));
    expect(refusal.message).toMatch(/^5000 of 5000 /);
    expect(refusal.faults).toHaveLength(1_000);
  });

  it.each([undefined, null, 3, 'x', [], {}, { inputs: {} }, { inputs: [] }])('%j is refused', async body => {
    expect((await refusalOf(() => read(body))).status).toBe(400);
  });

  it('too many: 413; a bad object type: 400', async () => {
    expect((await refusalOf(() => read({ inputs: Array(11).fill(inputOf(1, 2)) }))).status).toBe(413);
    const refusal = await refusalOf(() =>
      readInputs('con tacts', 'x'.repeat(101), { inputs: [] }, { maxInputs: 1, typesOf }),
    );
    expect(refusal.faults.map(fault => fault.in)).toEqual(['fromObjectType', 'toObjectType']);
  });

  it('the fingerprint is that of the associations, not of their spelling', async () => {
    const of = async (...inputs: unknown[]) => fingerprint((await read({ inputs })).jobs);
    const { from, to, types } = inputOf('1', '2');
    expect(await of({ types, to, from })).toBe(await of(inputOf(1, 2)));
    expect(await of({ from, to })).toBe(await of(inputOf(1, 2)));
    expect(await of(inputOf(1, 2))).not.toBe(await of(inputOf(1, 3)));
    expect(await of(inputOf(1, 2))).not.toBe(await of(inputOf(1, 2), inputOf(1, 2)));
  });
});

describe('the names of an input’s fields', () => {
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
  ])('%j says a type', async input => {
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
  ])('%j is refused by name', async (input, place, words) => {
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
  ])('%s beside the list of inputs is refused by name', async (name, value) => {
    const body = { inputs: [untyped], [name]: value };
    await expect(
      readInputs('contacts', 'companies', body, { maxInputs: 9, typesOf: noTypes }),
    ).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('nothing was enqueued'),
      faults: [{ message: `${name}: stands beside inputs; say it in each input`, in: name }],
    });
  });

  it('a million names beside the list of inputs are a refusal that reads a hundred', async () => {
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

  it('a million unknown names are a refusal, too', async () => {
    const input = Object.fromEntries(Array.from({ length: 200_000 }, (_, at) => [`name${at}`, at]));
    await expect(read(input)).rejects.toMatchObject({ status: 400 });
  });

  it.each(['\ud800', '1\u202e', '1\u0085', 'a\udc00b'])('the id %j is none', async id => {
    await expect(read({ from: { id }, to: { id: '2' }, types })).rejects.toMatchObject({
      faults: [{ in: 'inputs[0].from.id' }],
    });
  });

  it.each(['half \ud83d', 'two\nlines', '\u0000'])('the label %j is none', async label => {
    await expect(read({ ...untyped, label })).rejects.toMatchObject({ faults: [{ in: 'inputs[0].label' }] });
  });
});

it('what nobody knows any more is in neither list', async () => {
  const { jobs } = await readInputs('deals', '2-7', { inputs: [inputOf(1, 2)] }, { maxInputs: 9, typesOf });
  const counts = {
    owner: '',
    id: 'r',
    accepted: 1,
    jobs: 1,
    created: 0,
    rejected: 1,
    requestedAt: 0,
    completedAt: 5,
  };
  const answer = completeAnswer({ ...counts, discarded: [] }, jobs, { of: new Map(), unknown: new Set([0]) });
  expect(answer).toMatchObject({ results: [], numErrors: 1, errors: [{ category: 'UNKNOWN' }] });
});

it('a complete answer: a pair that stands twice in a job and was rejected once is in both lists', async () => {
  const inputs = [inputOf(1, 2), inputOf(1, 2), inputOf(3, 4)];
  const { jobs } = await readInputs('deals', '2-7', { inputs }, { maxInputs: 9, typesOf });
  const counts = {
    owner: '',
    id: 'r',
    accepted: 3,
    jobs: 1,
    created: 2,
    rejected: 1,
    requestedAt: 0,
    completedAt: 5,
    discarded: [],
  };
  const error = {
    at: '',
    attempt: 1,
    category: 'VALIDATION_ERROR',
    message: 'no',
    correlationId: 'c',
    pairs: 1,
  };
  const of = new Map([
    [
      0,
      { fromObjectType: 'deals', toObjectType: '2-7', rejected: [{ error, pairs: [['1', '2'] as const] }] },
    ],
  ]);
  const answer = completeAnswer(counts, jobs, { of, unknown: new Set() });
  expect(answer.results.map(({ fromObjectId }) => fromObjectId)).toEqual(['1', '3']);
  expect(answer.results[0]).toMatchObject({ fromObjectTypeId: '0-3', toObjectTypeId: '2-7' });
  expect(answer).toMatchObject({ status: 'COMPLETE', numErrors: 1, completedAt: '1970-01-01T00:00:00.005Z' });
  expect(answer.errors?.[0]).toMatchObject({ status: 'error', message: 'no', id: 'c' });
});

it("fastify's own errors become HubSpot's, and what is nobody's fault stays ours", () => {
  const of = (statusCode: number, code = '') => asRefusal({ statusCode, code, message: 'm' })?.status;
  expect([of(413, 'FST_ERR_CTP_BODY_TOO_LARGE'), of(415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE')]).toEqual([
    413, 415,
  ]);
  expect([of(400), of(418), of(500), asRefusal(new Error('x'))]).toEqual([400, 400, undefined, undefined]);
});

it('the description asks for a key only where one is needed', () => {
  expect(openApi('1', 5, false).paths['/requests/{id}']?.get?.security).toEqual([]);
  expect(openApi('1', 5, true).paths['/requests/{id}']?.get?.security).toEqual([{ bearer: [] }]);
});

describe('configuration', () => {
  const problems = (env: Record<string, string>) => {
    try {
      parseConfig(env, { gateway: true });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  };
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '::1'])('%s needs no key', GATEWAY_HOST => {
    expect(problems({ GATEWAY_HOST })).toEqual([]);
  });
  it.each(['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org'])('%s does', GATEWAY_HOST => {
    expect(problems({ GATEWAY_HOST })).toEqual([expect.stringMatching(/^GATEWAY_API_KEYS is not set/)]);
    expect(problems({ GATEWAY_HOST, GATEWAY_API_KEYS: 'k' })).toEqual([]);
  });
  it('keys are never repeated', () => {
    expect(problems({ GATEWAY_API_KEYS: ' , ' })).toEqual(['GATEWAY_API_KEYS holds no key']);
    expect(problems({ GATEWAY_API_KEYS: 'a b,c' }).join()).not.toContain('a b');
  });
  it('the other commands do not mind', () => {
    expect(parseConfig({ GATEWAY_HOST: '0.0.0.0' }).gatewayHost).toBe('0.0.0.0');
  });
});
