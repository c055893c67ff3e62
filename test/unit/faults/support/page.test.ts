/** docs/design/faults.md matches the catalogue of faults. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SCENARIOS, TESTED } from '../../../../faults/catalogue.js';
import { faultsTable, withTable } from '../../../../faults/support/page.js';

const ALL = [...SCENARIOS, ...TESTED];

describe('the catalogue of faults', () => {
  it('gives each fault its own name', () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  });

  it.each(ALL.flatMap(({ name, tests }) => tests.map(file => [name, file])))(
    '%s names a test that exists: %s',
    (_name, file) => {
      expect(existsSync(file)).toBe(true);
    },
  );

  it('shows each fault by a scenario or by a test', () => {
    expect(TESTED.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  it('is the table of docs/design/faults.md, with the figures of faults/results.json', () => {
    const page = readFileSync('docs/design/faults.md', 'utf8');
    const results = JSON.parse(readFileSync('faults/results.json', 'utf8'));
    expect(page).toBe(withTable(page, faultsTable(SCENARIOS, TESTED, results)));
  });
});
