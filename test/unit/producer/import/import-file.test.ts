/** Lots, interruptions and --strict, with a producer that fails on cue. */
import { describe, expect, it } from '@jest/globals';
import { importFile } from '../../../../src/producer/import/import-file.js';
import type { Source } from '../../../../src/producer/import/source.js';
import type { Association } from '../../../../src/shared/contract/association.js';
import { ConfigError, EnqueueError } from '../../../../src/shared/contract/errors.js';

const READING = {
  defaults: {
    fromObjectType: 'contacts',
    toObjectType: 'companies',
    types: [{ associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 1 }],
  },
};
const source = (lines: readonly string[], breaksOff = false): Source => ({
  format: 'csv',
  bytes: undefined,
  async *open() {
    for (let at = 0; at < lines.length; at += 1_000)
      yield new TextEncoder().encode(`${lines.slice(at, at + 1_000).join('\n')}\n`);
    if (breaksOff) throw new Error('EIO: i/o error, read');
  },
});
const numbered = (count: number) => ['from,to', ...Array.from({ length: count }, (_, id) => `${id},7`)];

function fakes(failAt?: string) {
  const enqueued: string[] = [];
  const refused: string[] = [];
  let underWay = 0;
  const producer = {
    connected: async () => {},
    typesOf: (): never => {
      throw new Error('every line says its types');
    },
    async enqueueMany(items: Iterable<Association> | AsyncIterable<Association>) {
      underWay += 1;
      expect(underWay).toBe(1); // one lot after another
      await new Promise(resolve => setImmediate(resolve));
      underWay -= 1;
      const associations = [...(items as Association[])];
      if (associations.some(({ from }) => from === failAt))
        throw new EnqueueError(new Error('Redis is away: connect ECONNREFUSED'), associations);
      for (const { from } of associations) enqueued.push(String(from));
      return { associations: associations.length, jobs: Math.ceil(associations.length / 500) };
    },
  };
  const report = {
    refused: (refusals: readonly { line: number; reasons: readonly string[] }[]) =>
      void refused.push(...refusals.map(({ line, reasons }) => `${line}: ${reasons.join('; ')}`)),
    usable() {},
    noted() {},
    read() {},
    progress() {},
  };
  return { enqueued, refused, producer, report };
}

describe('importFile', () => {
  it('enqueues the good lines in order and reports the others', async () => {
    const { enqueued, refused, producer, report } = fakes();
    const lines = numbered(12_345);
    lines[100] = 'bad one,7';
    const imported = await importFile(source(lines), READING, false, producer, report);
    expect(imported).toEqual({ associations: 12_344, jobs: 25, refused: 1 });
    expect(enqueued).toEqual(
      numbered(12_345)
        .slice(1)
        .map(line => line.split(',')[0])
        .filter(id => id !== '99'),
    );
    expect(refused).toEqual(['101: from: "bad one" is not a record id']);
  });

  it('says from which line on nothing is acknowledged, and sends nothing after it', async () => {
    const { enqueued, producer, report } = fakes('7777');
    const imported = await importFile(source(numbered(30_000)), READING, false, producer, report);
    expect(imported).toEqual({
      associations: 5_000,
      jobs: 10,
      refused: 0,
      interrupted: { fromLine: 5_002, reason: 'Redis is away: connect ECONNREFUSED' },
    });
    expect(enqueued.at(-1)).toBe('4999');
  });

  it('enqueues what it has read when the input breaks off, and says where to go on', async () => {
    const { enqueued, producer, report } = fakes();
    const imported = await importFile(source(numbered(6_999), true), READING, false, producer, report);
    expect(enqueued).toHaveLength(6_999);
    expect(imported.interrupted).toEqual({ fromLine: 7_001, reason: 'EIO: i/o error, read' });
  });

  it('--strict enqueues nothing when any line is bad, and everything when none is', async () => {
    const lines = numbered(6_000);
    lines[5_999] = 'x';
    const bad = fakes();
    expect(await importFile(source(lines), READING, true, bad.producer, bad.report)).toEqual({
      associations: 0,
      jobs: 0,
      refused: 1,
    });
    expect(bad.enqueued).toEqual([]);
    expect(bad.refused).toEqual(['6000: to: "" is not a record id']);

    const good = fakes();
    const imported = await importFile(source(numbered(6_000)), READING, true, good.producer, good.report);
    expect(imported).toEqual({ associations: 6_000, jobs: 12, refused: 0 });
    expect(good.enqueued).toHaveLength(6_000);
  });

  it.each([false, true])('says that Redis is away before it reads on (strict: %s)', async strict => {
    const { producer, report, refused } = fakes();
    producer.connected = () => Promise.reject(new Error('Redis is away'));
    const imported = await importFile(source(['from,to', 'bad one,2']), READING, strict, producer, report);
    expect(imported).toMatchObject({
      associations: 0,
      interrupted: { fromLine: 1, reason: 'Redis is away' },
    });
    expect(refused).toEqual([]);
  });

  it('refuses an unusable input as a whole before anything else', async () => {
    const { producer, report } = fakes();
    producer.connected = () => Promise.reject(new Error('must not be asked'));
    for (const lines of [['a,b', '1,2'], []])
      await expect(importFile(source(lines), READING, false, producer, report)).rejects.toBeInstanceOf(
        ConfigError,
      );
  });
});
