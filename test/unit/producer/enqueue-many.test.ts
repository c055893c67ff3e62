/** enqueueMany: lots, bounds, and the errors when an item or Redis fails. */
import { describe, expect, it } from '@jest/globals';
import { enqueueMany, MAX_INVALID_ITEMS } from '../../../src/producer/enqueue-many.js';
import type { Stand } from '../../../src/producer/request-sender.js';
import type { Association, JobData } from '../../../src/shared/contract/association.js';
import { EnqueueError, InvalidAssociationError } from '../../../src/shared/contract/errors.js';

const link = (id: number | string, toObjectType = 'companies'): Association => ({
  fromObjectType: 'contacts',
  toObjectType,
  from: id,
  to: id,
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 1 }],
});
function* links(count: number, onTake: (id: number) => void = () => {}): Generator<Association> {
  for (let id = 0; id < count; id++) {
    onTake(id);
    yield link(id);
  }
}
/** A Redis that acknowledges everything except what `failing` names. */
function fakeRedis(failing: (jobs: readonly JobData[]) => boolean = () => false) {
  const acknowledged: string[] = [];
  const send = async (jobs: readonly JobData[]) => {
    await new Promise(resolve => setImmediate(resolve));
    if (failing(jobs)) throw new Error('Redis is away');
    for (const job of jobs) for (const [from] of job.pairs) acknowledged.push(from);
  };
  const typesOf = () => {
    throw new Error('every association says its types');
  };
  return { acknowledged, parts: { request: requestOf(send), typesOf, onLane: () => {} } };
}
/** A request whose bulks `send` takes; `endings` has what it was told of its end. */
function requestOf(send: (jobs: readonly JobData[]) => Promise<void>) {
  const endings: string[] = [];
  return {
    endings,
    id: 'r',
    start: () => {},
    stop: () => {},
    async send(jobs: readonly JobData[], { ending }: Stand = {}) {
      await send(jobs);
      if (ending) endings.push(ending);
    },
    async end({ ending }: Stand & { ending: string }) {
      endings.push(ending);
    },
  };
}
const rejection = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('an association', () => {
  const { types, ...untyped } = link('0101');
  const jobsOf = async (items: readonly object[]) => {
    const jobs: JobData[] = [];
    const parts = {
      ...fakeRedis().parts,
      request: requestOf(async sent => void jobs.push(...sent)),
    };
    return enqueueMany(items as Association[], parts, {}, 100).then(
      () => jobs,
      (error: InvalidAssociationError) => error.faults,
    );
  };
  const type = { associationCategory: 'USER_DEFINED', associationTypeId: 36 };

  it.each<[object]>([
    [{ category: 'USER_DEFINED', typeId: 36 }],
    [{ associationCategory: 'USER_DEFINED', associationTypeId: '36' }],
    [{ types: [{ ...type, associationTypeId: '36' }] }],
    [{ types: [type], note: undefined }],
  ])('says its type in the fields %j', async says => {
    // the second meets an open job, the first does not
    const item = { ...untyped, ...says };
    expect(await jobsOf([item, item])).toEqual([
      expect.objectContaining({
        types: [type],
        pairs: [
          ['101', '101'],
          ['101', '101'],
        ],
      }),
    ]);
  });

  it.each<[object, string]>([
    [{ fromType: 'deals', types }, 'fromType: did you mean fromObjectType?'],
    [{ type: types }, 'type: did you mean types?'],
    [{ note: 1, types }, 'note: an association has no such field'],
    [{ typeId: 36 }, 'typeId: a type needs a category, too'],
    [{ types, category: 'WORK', typeId: 36 }, 'typeId: says a type beside types; give one of them'],
  ])('is refused with the name of the bad field: %j', async (says, fault) => {
    expect(await jobsOf([link(1), { ...untyped, ...says }])).toEqual([
      expect.stringContaining(`item 1: ${fault}`),
    ]);
  });
});

describe('enqueueMany', () => {
  it('enqueues arrays, generators and async iterables in full jobs', async () => {
    const { acknowledged, parts } = fakeRedis();
    async function* slowly() {
      yield* links(1_201);
    }
    for (const items of [[...links(1_201)], links(1_201), slowly()])
      expect(await enqueueMany(items, parts, {}, 50_000)).toEqual({
        requestId: 'r',
        associations: 1_201,
        jobs: 3,
      });
    expect(acknowledged).toHaveLength(3 * 1_201);
    expect(await enqueueMany([], parts, {}, 50_000)).toEqual({ requestId: 'r', associations: 0, jobs: 0 });
  });

  it.each([1, 700, 30_000])('holds no more than %i associations unacknowledged', async maxUnacknowledged => {
    const { acknowledged, parts } = fakeRedis();
    let most = 0;
    const count = maxUnacknowledged === 1 ? 300 : 45_000;
    const items = links(count, id => {
      most = Math.max(most, id + 1 - acknowledged.length);
    });
    expect((await enqueueMany(items, parts, {}, maxUnacknowledged)).associations).toBe(count);
    expect(most).toBeLessThanOrEqual(maxUnacknowledged);
  });

  it('does not let lanes that never fill grow without bound', async () => {
    const { acknowledged, parts } = fakeRedis();
    let most = 0;
    function* lanes() {
      for (let id = 0; id < 5_000; id++) {
        most = Math.max(most, id - acknowledged.length);
        yield link(id, `object-${id}`);
      }
    }
    expect(await enqueueMany(lanes(), parts, {}, 1_000)).toEqual({
      requestId: 'r',
      associations: 5_000,
      jobs: 5_000,
    });
    expect(most).toBeLessThanOrEqual(1_000);
  });

  it('enqueues the good ones and names the index of every invalid one', async () => {
    const { acknowledged, parts } = fakeRedis();
    const error = await rejection(enqueueMany([link(1), link('a b'), link(2), link('')], parts, {}, 50_000));
    expect(acknowledged).toEqual(['1', '2']);
    expect(error).toBeInstanceOf(InvalidAssociationError);
    expect(error).toMatchObject({
      indexes: [1, 3],
      progress: { enqueued: { associations: 2, jobs: 1 }, read: 4 },
      faults: [
        'item 1: from: "a b" is not a record id, to: "a b" is not a record id',
        'item 3: from: "" is not a record id, to: "" is not a record id',
      ],
    });
  });

  it('stops reading when the input as a whole is wrong, and says where', async () => {
    const { acknowledged, parts } = fakeRedis();
    function* bad() {
      yield link(1);
      for (;;) yield link('');
    }
    const error = await rejection(enqueueMany(bad(), parts, {}, 50_000));
    expect(acknowledged).toEqual(['1']);
    expect(parts.request.endings).toEqual(['reading stopped after 1000 invalid items']);
    expect(error).toMatchObject({ progress: { read: MAX_INVALID_ITEMS + 1 } });
    expect((error as InvalidAssociationError).message.length).toBeLessThan(2_000);
  });

  it('names what is not acknowledged when Redis goes away, and reads no further', async () => {
    const { acknowledged, parts } = fakeRedis(jobs =>
      jobs.some(job => job.pairs.some(([from]) => from === '25000')),
    );
    let taken = 0;
    function* endless() {
      yield link('');
      for (;;) yield link(taken++);
    }
    const error = await rejection(enqueueMany(endless(), parts, {}, 20_000));
    expect(error).toBeInstanceOf(EnqueueError);
    const { associations, progress, invalid, cause } = error as EnqueueError;
    expect(cause).toEqual(new Error('Redis is away'));
    expect(invalid?.indexes).toEqual([0]);
    expect(progress?.read).toBe(taken + 1);
    expect(progress?.enqueued.associations).toBe(acknowledged.length);
    expect(parts.request.endings).toEqual(['Redis is away']);
    const lost = associations.map(({ from }) => from);
    const all = Array.from({ length: taken }, (_, id) => String(id));
    expect([...acknowledged, ...lost].sort()).toEqual(all.sort());
  });

  it('enqueues what an iterable gave before it threw, then passes its error on', async () => {
    const { acknowledged, parts } = fakeRedis();
    async function* breaking() {
      yield* links(3);
      throw new Error('the file broke off');
    }
    await expect(enqueueMany(breaking(), parts, {}, 50_000)).rejects.toThrow('the file broke off');
    expect(acknowledged).toEqual(['0', '1', '2']);
    expect(parts.request.endings).toEqual(['the file broke off']);
  });
});
