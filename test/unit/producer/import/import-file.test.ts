/** Lots, interruptions and --strict, with a producer that fails on cue. */
import { describe, expect, it } from '@jest/globals';
import { importFile } from '../../../../src/producer/import/import-file.js';
import type { Source } from '../../../../src/producer/import/source.js';
import { PartlyEnqueued, type RequestSender, type Stand } from '../../../../src/producer/request-sender.js';
import type { JobData } from '../../../../src/shared/contract/association.js';
import { ConfigError, RequestCancelledError } from '../../../../src/shared/contract/errors.js';

const READING = {
  defaults: {
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    types: [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 1 }],
  },
};
const source = (lines: readonly string[], breaksOff = false, onRead = () => {}): Source => ({
  format: 'csv',
  bytes: undefined,
  async *open() {
    onRead();
    for (let at = 0; at < lines.length; at += 1_000)
      yield new TextEncoder().encode(`${lines.slice(at, at + 1_000).join('\n')}\n`);
    if (breaksOff) throw new Error('EIO: i/o error, read');
  },
});
const numbered = (count: number) => ['from,to', ...Array.from({ length: count }, (_, id) => `${id},7`)];

/** @param failAt the cut with this id fails @param leaveOut ids whose jobs Redis does not take, each time it gets one */
function fakes(failAt?: string, leaveOut: string[] = [], areAbsent = true) {
  const enqueued: string[] = [];
  const refused: string[] = [];
  const stands: Stand[] = [];
  let underWay = 0;
  const request = {
    id: 'r',
    start() {},
    stop() {},
    open: async () => ({
      outcome: 'opened',
      other: '',
      line: 0,
      accepted: 0,
      jobs: 0,
      nextJob: 0,
      refused: 0,
    }),
    async send(jobs: readonly JobData[], stand: Stand) {
      underWay += 1;
      expect(underWay).toBe(1); // one cut after another
      await new Promise(resolve => setImmediate(resolve));
      underWay -= 1;
      const ids = jobs.flatMap(({ pairs }) => pairs.map(([from]) => from));
      if (failAt !== undefined && ids.includes(failAt))
        throw new Error('Redis is away: connect ECONNREFUSED');
      const left = leaveOut.shift();
      const missing = jobs.filter(({ pairs }) => pairs.some(([from]) => from === left));
      const taken = jobs.filter(job => !missing.includes(job));
      if (missing.length > 0) {
        enqueued.push(...taken.flatMap(({ pairs }) => pairs.map(([from]) => from)));
        throw new PartlyEnqueued(missing, areAbsent, jobs.length, 'ERR no room');
      }
      enqueued.push(...ids);
      stands.push(stand);
    },
    async end(stand: Stand) {
      stands.push(stand);
    },
  };
  const producer = {
    connected: async () => {},
    request: async () => undefined,
    onLane() {},
    origin: {},
    fileRequest: () => request as unknown as RequestSender,
    typesOf: (): never => {
      throw new Error('every line says its types');
    },
  };
  const report = {
    opened() {},
    refused: (refusals: readonly { line: number; reasons: readonly string[] }[]) =>
      void refused.push(...refusals.map(({ line, reasons }) => `${line}: ${reasons.join('; ')}`)),
    usable() {},
    noted() {},
    read() {},
    progress() {},
  };
  const run = (given: Source, strict = false, signal = new AbortController().signal) =>
    importFile(
      {
        ...{ source: given, reading: READING, strict, priority: 'normal', how: 'new' },
        ...{ name: undefined, path: undefined, resume: undefined },
      },
      producer,
      report,
      signal,
    );
  return { enqueued, refused, stands, producer, request, run };
}

describe('importFile', () => {
  it('enqueues the good lines in order, says with each cut up to which line, and reports the others', async () => {
    const { enqueued, refused, stands, run } = fakes();
    const lines = numbered(12_345);
    lines[100] = 'bad one,7';
    expect(await run(source(lines))).toEqual({ requestId: 'r', associations: 12_344, jobs: 25, refused: 1 });
    expect(enqueued).toEqual(
      numbered(12_345)
        .slice(1)
        .map(line => line.split(',')[0])
        .filter(id => id !== '99'),
    );
    expect(refused).toEqual(['101: from: "bad one" is not a record id']);
    expect(stands).toEqual([
      { line: 5_002, refused: 1 },
      { line: 10_002, refused: 1 },
      { line: 12_346, refused: 1, ending: 'all' },
    ]);
  });

  it('sends what Redis did not take of a cut once more, and nothing of it twice', async () => {
    const { enqueued, stands, run } = fakes(undefined, ['700']);
    expect(await run(source(numbered(6_000)))).toEqual({
      ...{ requestId: 'r', associations: 6_000, jobs: 12, refused: 0 },
    });
    expect(enqueued).toHaveLength(6_000);
    expect(new Set(enqueued).size).toBe(6_000);
    expect(enqueued.slice(4_500, 5_000)).toEqual(Array.from({ length: 500 }, (_, at) => `${500 + at}`));
    expect(stands.at(0)).toEqual({ line: 5_001, refused: 0 });
  });

  it.each<[string, string[], boolean]>([
    ['if Redis does not take it again', ['700', '700'], true],
    ['if nobody knows whether it is there', ['700'], false],
  ])('says what a later run enqueues twice, %s', async (_, leaveOut, areAbsent) => {
    const { enqueued, stands, run } = fakes(undefined, leaveOut, areAbsent);
    const what = areAbsent
      ? '1 of 10 jobs are not in the queue; the others are, and are counted'
      : '1 of 10 jobs may not be in the queue, and the request may count them all the same';
    const reason = `ERR no room: ${what}; whoever enqueues the lines after 0 again enqueues ${areAbsent ? '' : 'at least '}4500 associations twice: the request counts both, and HubSpot takes them as one`;
    expect(await run(source(numbered(6_000)))).toEqual({
      ...{ requestId: 'r', associations: 4_500, jobs: 9, refused: 0 },
      interrupted: { upTo: 0, reason },
    });
    expect(enqueued).toHaveLength(4_500);
    expect(stands).toEqual([{ ending: reason }]);
  });

  it('says up to which line everything is enqueued when Redis goes away, and sends nothing after it', async () => {
    const { enqueued, stands, run } = fakes('7777');
    const reason = 'Redis is away: connect ECONNREFUSED';
    expect(await run(source(numbered(30_000)))).toEqual({
      ...{ requestId: 'r', associations: 5_000, jobs: 10, refused: 0 },
      interrupted: { upTo: 5_001, reason },
    });
    expect(enqueued.at(-1)).toBe('4999');
    expect(stands.at(-1)).toEqual({ ending: reason }); // the line is in the record already, with its jobs
  });

  it('enqueues what it has read when the input breaks off, and says where to go on', async () => {
    const { enqueued, stands, run } = fakes();
    const imported = await run(source(numbered(6_999), true));
    expect(enqueued).toHaveLength(6_999);
    expect(imported.interrupted).toEqual({ upTo: 7_000, reason: 'EIO: i/o error, read' });
    expect(stands.at(-1)).toEqual({ line: 7_000, refused: 0, ending: 'EIO: i/o error, read' });
  });

  it('enqueues what it has read when it is told to stop', async () => {
    const { enqueued, stands, run } = fakes();
    const stop = new AbortController();
    const lines = source(numbered(30_000), false, () => stop.abort('interrupted by Ctrl-C'));
    const imported = await run(lines, false, stop.signal);
    expect(imported.interrupted).toEqual({ upTo: 1_000, reason: 'interrupted by Ctrl-C' });
    expect(enqueued).toHaveLength(999);
    expect(stands).toEqual([{ line: 1_000, refused: 0, ending: 'interrupted by Ctrl-C' }]);
  });

  it.each([false, true])('opens no request if it is told to stop before (strict: %s)', async strict => {
    const { producer, stands, enqueued, run } = fakes();
    producer.fileRequest = () => ({ id: 'r', open: () => Promise.reject(new Error('opened')) }) as never;
    const stop = AbortSignal.abort('interrupted by Ctrl-C');
    expect(await run(source(numbered(30_000)), strict, stop)).toEqual({
      ...{ refused: 0, interrupted: { reason: 'interrupted by Ctrl-C' } },
    });
    expect([stands, enqueued]).toEqual([[], []]);
  });

  it('says in the record why it ended before its first line, so that somebody may go on at once', async () => {
    const { producer, stands, run } = fakes();
    producer.typesOf = () => {
      throw new Error('503 from HubSpot');
    };
    const imported = await run(source(['from,to,label', '1,2,Chef']));
    expect(imported).toMatchObject({ requestId: 'r', interrupted: { upTo: 0, reason: '503 from HubSpot' } });
    expect(stands).toEqual([{ line: 0, refused: 0, ending: '503 from HubSpot' }]);
  });

  it('tells a cancelled request from an interrupted one', async () => {
    const { request, run } = fakes();
    request.send = () => Promise.reject(new RequestCancelledError('anna@ops'));
    expect((await run(source(numbered(3)))).interrupted).toEqual({
      ...{ upTo: 0, reason: 'the request was cancelled by anna@ops', isCancelled: true },
    });
  });

  it('counts blank lines along', async () => {
    const { stands, run } = fakes();
    const lines = Array.from({ length: 7_000 }, (_, id) => `${id},7`);
    await run(source(['from,to', '', ...lines, '', '']));
    expect(stands.map(({ line }) => line)).toEqual([5_002, 7_004]);
  });

  it('--strict enqueues nothing when any line is bad, and everything when none is', async () => {
    const lines = numbered(6_000);
    lines[5_999] = 'x';
    const bad = fakes();
    expect(await bad.run(source(lines), true)).toEqual({ refused: 1 });
    expect([bad.enqueued, bad.stands]).toEqual([[], []]);
    expect(bad.refused).toEqual(['6000: to: "" is not a record id']);

    const good = fakes();
    expect(await good.run(source(numbered(6_000)), true)).toMatchObject({ associations: 6_000, refused: 0 });
    expect(good.enqueued).toHaveLength(6_000);
  });

  it.each([false, true])('says that Redis is away before it reads on (strict: %s)', async strict => {
    const { producer, run, refused, stands } = fakes();
    producer.connected = () => Promise.reject(new Error('Redis is away'));
    const imported = await run(source(['from,to', 'bad one,2']), strict);
    expect(imported).toEqual({ refused: 0, interrupted: { reason: 'Redis is away' } }); // no request to go on with
    expect([refused, stands]).toEqual([[], []]);
  });

  it('refuses an unusable input as a whole before anything else', async () => {
    const { producer, run } = fakes();
    producer.connected = () => Promise.reject(new Error('must not be asked'));
    for (const lines of [['a,b', '1,2'], []])
      await expect(run(source(lines))).rejects.toBeInstanceOf(ConfigError);
  });
});
