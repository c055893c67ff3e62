/** The file of a request is found again only if it is the same one. */
import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { CsvParser } from '../../../../src/producer/import/csv.js';
import { readOptions } from '../../../../src/producer/import/options.js';
import { openOriginal } from '../../../../src/producer/import/original-file.js';
import type { RequestFile } from '../../../../src/shared/state/requests.js';
import { parseAll } from '../../../support/parse-lines.js';
import { contactsToCompanies } from '../../../support/samples.js';

const directory = mkdtempSync(path.join(tmpdir(), 'original-'));
afterAll(() => rmSync(directory, { recursive: true }));

const TEXT = 'Record ID;Name;Firma\n101;Änne;201\n102;Bo;202\n';
const { reading } = readOptions({
  ...{ from: 'contacts', to: 'companies', type: ['HUBSPOT_DEFINED:279'], encoding: 'windows-1252' },
  ...{ fromColumn: 'Record ID', toColumn: 'Firma', fixIds: true },
});
const content = Buffer.from(TEXT, 'latin1');

function enqueued(name: string): RequestFile {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path: file, bytes: content.length, sha256, options: { reading, priority: 'high' } };
}

const rejected = [
  {
    ...contactsToCompanies,
    from: '102',
    to: '202',
    error: { at: '', attempt: 1, category: 'OBJECT_NOT_FOUND', message: 'No contact 102', pairs: 1 },
  },
];

async function textOf(file: RequestFile, moved?: string): Promise<string> {
  let text = '';
  for await (const part of (await openOriginal(file, moved)).lines(rejected)) text += part;
  return text;
}

describe('the file of a request', () => {
  test('gives its rejected lines, which are read again under the same options', async () => {
    const file = enqueued('a.csv');
    const text = await textOf(file);
    expect(text).toBe(
      '\ufeffline;error;Record ID;Name;Firma\n3;OBJECT_NOT_FOUND: No contact 102;102;Bo;202\n',
    );
    const again = parseAll(new CsvParser(reading), text.slice(1));
    expect([again.associations.length, again.refusals]).toEqual([1, []]);
    expect((await openOriginal(file)).options).toBe(
      "--from contacts --to companies --type HUBSPOT_DEFINED:279 --from-column 'Record ID' --to-column Firma --encoding windows-1252 --priority high --fix-ids",
    );
  });

  test('may have moved, under any name', async () => {
    const file = enqueued('b.csv');
    const moved = path.join(directory, 'old.bak');
    renameSync(file.path, moved);
    await expect(textOf(file)).rejects.toThrow(/b\.csv does not exist.*--file says where it is now/s);
    expect(await textOf(file, moved)).toContain('3;OBJECT_NOT_FOUND');
  });

  test('is refused if it has changed', async () => {
    const file = enqueued('c.csv');
    writeFileSync(file.path, `${TEXT}103;Cy;203\n`);
    await expect(openOriginal(file)).rejects.toThrow(
      /c\.csv is not the file that was enqueued, or has changed/,
    );
  });
});
