/** The file of `requests cancel --list`: what is added to it, also after a process that was killed. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { CancelList, missingIn } from '../../../../src/dashboard/requests/cancel-list.js';
import { contactsToCompanies, goodPairs } from '../../../support/samples.js';

const folder = mkdtempSync(path.join(tmpdir(), 'cancel-list-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { fromObjectType, toObjectType, types } = contactsToCompanies;
const job = (first: number) => ({ fromObjectType, toObjectType, types, pairs: goodPairs(3, first) });
const [one, other] = [job(1_000), job(2_000)];

/** @returns the text of a file after lines were added to what it had */
async function withLines(before: string, ...jobs: (typeof one)[]): Promise<string> {
  const file = path.join(folder, 'list.ndjson');
  writeFileSync(file, before);
  const list = await CancelList.open(file);
  for (const each of jobs) await list.add([each]);
  await list.close();
  return readFileSync(file, 'utf8');
}

describe('the list of what was taken back', () => {
  test('has a line for each association, which enqueue reads', async () => {
    const lines = (await withLines('', one)).trimEnd().split('\n');
    expect(lines.map(line => JSON.parse(line))).toEqual(
      one.pairs.map(([from, to]) => ({ from, to, types, fromObjectType, toObjectType })),
    );
  });

  test('is continued after what an earlier process wrote of the same lines, wherever it was killed', async () => {
    const [lines, both] = [await withLines('', one), await withLines('', one, other)];
    for (const earlier of ['', '{"from":"7","to":"8"}\n', both])
      for (let written = 0; written <= lines.length; written += 7)
        expect(await withLines(earlier + lines.slice(0, written), one)).toBe(earlier + lines);
    expect(await withLines(both, one)).toBe(both + lines); // the same lines further above are another matter
    expect(await withLines(lines, other, one)).toBe(both + lines);
  });

  test("leaves somebody's file as it is, also if its last line has no end", async () => {
    expect(await withLines('{"from":"7","to":"8"}', one)).toBe(
      `{"from":"7","to":"8"}\n${await withLines('', one)}`,
    );
  });

  test('that would not be read as what it is, or cannot be written, is refused', async () => {
    for (const name of ['x.csv', 'x.CSV', 'x.txt', 'x.xlsx', 'x.json'])
      await expect(CancelList.open(path.join(folder, name))).rejects.toThrow(/--list .*: the list is NDJSON/);
    await expect(CancelList.open(path.join(folder, 'no', 'x.ndjson'))).rejects.toThrow(
      /^--list .* cannot be written: ENOENT/,
    );
    for (const name of ['x.ndjson', 'x.JSONL', 'x'])
      await (await CancelList.open(path.join(folder, name))).close();
  });

  test('has whole lines, although two commands add those of two requests at once', async () => {
    const file = path.join(folder, 'both.ndjson');
    const lists = await Promise.all([CancelList.open(file), CancelList.open(file)]);
    const many = (first: number) => ({ ...one, pairs: goodPairs(10_000, first) });
    await Promise.all(lists.map((list, at) => list.add([many(1 + 1_000_000 * at)])));
    for (const list of lists) await list.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(new Set(lines.map(line => JSON.parse(line).from)).size).toBe(20_000);
  });

  test('is cut back when the disk is full, but not by the lines that somebody else has added meanwhile', async () => {
    const file = path.join(folder, 'full.ndjson');
    const list = await CancelList.open(file);
    const handle = await open(file);
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const methods = ['write', 'appendFile'] as const;
    const { write } = prototype;
    for (const theirs of ['', 'theirs\n']) {
      writeFileSync(file, 'earlier\n');
      const failing = methods.map(method =>
        jest.spyOn(prototype, method).mockImplementationOnce(async function (
          this: FileHandle,
          lines: unknown,
        ): Promise<never> {
          appendFileSync(file, theirs);
          await write.call(this, (lines as Buffer).subarray(0, 5).toString());
          throw new Error('ENOSPC');
        }),
      );
      await expect(list.add([one])).rejects.toThrow('ENOSPC');
      for (const each of failing) each.mockRestore();
      const left = readFileSync(file, 'utf8');
      expect(left).toBe(theirs === '' ? 'earlier\n' : 'earlier\ntheirs\n{"fro');
    }
    await list.close();
  });

  test('on a full disk: the error says so', async () => {
    const list = await CancelList.open('/dev/full');
    await expect(list.add([one])).rejects.toThrow('ENOSPC');
    await list.close();
  });
});

test('lines at the end of a file are found, although they begin in the middle of what was read of it', () => {
  const lines = Buffer.from('bb\ncc\n');
  for (const [file, missing] of [
    ['aa\nbb\ncc\n', ''],
    ['aaaa\nbb\n', 'cc\n'],
    ['aaaabb\nc', '\nbb\ncc\n'],
    ['bb\ncc\nb', 'b\ncc\n'],
    ['xbb\ncc\n', 'bb\ncc\n'],
  ] as const) {
    const tail = Buffer.from(file).subarray(-lines.length - 1);
    expect([file, missingIn(tail, file.length, lines).toString()]).toEqual([file, missing]);
  }
});
