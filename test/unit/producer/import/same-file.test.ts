/** What a file is recognised by: not whether an option or the file says it. */
import { describe, expect, it } from '@jest/globals';
import type { TypesOf } from '../../../../src/labels/type-resolver.js';
import type { LineDefaults, Reading } from '../../../../src/producer/import/line.js';
import { fileHash, typesOfOthers } from '../../../../src/producer/import/same-file.js';

const PAIR = { fromObjectType: 'contacts', toObjectType: 'companies' };
const USER = { associationCategory: 'USER_DEFINED' as const, associationTypeId: 36 };
const OWN = { associationCategory: 'HUBSPOT_DEFINED' as const, associationTypeId: 279 };
const understood = (defaults: LineDefaults, more = {}) => ({
  ...{ defaults, saysTypes: false, columns: { from: 0, to: 1 }, delimiter: ',', encoding: 'utf-8', ...more },
});
/** HubSpot knows one label. */
const known: TypesOf = ({ label, types = [] }) =>
  label === undefined || label === 'Chef' ? { types: [...types, USER] } : { fault: 'label: unknown' };
const away: TypesOf = () => Promise.reject(new Error('HubSpot is away'));

describe('the types of lines that say none', () => {
  it.each<[string, LineDefaults, boolean, TypesOf, string | null]>([
    ['given', { ...PAIR, types: [USER, OWN] }, true, away, 'HUBSPOT_DEFINED:279+USER_DEFINED:36'],
    ['the unlabelled standard ones', PAIR, true, away, 'HUBSPOT_DEFINED:279'],
    ['of a label', { ...PAIR, label: 'Chef' }, false, known, 'USER_DEFINED:36'],
    ['of a custom object', { fromObjectType: '2-7', toObjectType: '2-8' }, false, known, 'USER_DEFINED:36'],
    ['of an unknown label', { ...PAIR, label: 'Boss' }, false, known, null],
    ['of a label while HubSpot is away', { ...PAIR, label: 'Chef' }, false, away, null],
    ['asked for by no line perhaps', { ...PAIR, label: 'Chef' }, true, known, null],
    ['of lines with their own object types', { label: 'Chef' }, false, known, null],
  ])('%s', async (_, defaults, saysTypes, typesOf, expected) => {
    expect(await typesOfOthers({ ...understood(defaults), saysTypes }, typesOf)).toBe(expected);
  });
});

describe('a file', () => {
  const base = { sha256: 'a', format: 'csv' as const, reading: { defaults: {} } as Reading };
  const hash = (defaults: LineDefaults, types: string | null, more = {}, reading = {}) =>
    fileHash({
      ...base,
      ...{ reading: { ...base.reading, ...reading }, understood: understood(defaults, more), types },
    });
  const one = hash(PAIR, 'USER_DEFINED:36');

  it('is the same under any name of its object types, by type or by label, in any order of columns', () => {
    expect(hash({ fromObjectType: '0-1', toObjectType: 'Company' }, 'USER_DEFINED:36')).toBe(one);
    expect(hash({ ...PAIR, types: [USER] }, 'USER_DEFINED:36')).toBe(one);
    expect(hash({ ...PAIR, label: 'Chef' }, 'USER_DEFINED:36')).toBe(one);
    expect(hash(PAIR, 'USER_DEFINED:36', { columns: { to: 1, from: 0 } })).toBe(one);
  });

  it('is another one if its lines become other associations', () => {
    const others = [
      hash(PAIR, 'USER_DEFINED:37'),
      hash({ ...PAIR, toObjectType: 'deals' }, 'USER_DEFINED:36'),
      hash({ ...PAIR, label: 'Chef' }, null),
      hash({ ...PAIR, label: 'Boss' }, null),
      hash(PAIR, 'USER_DEFINED:36', { columns: { from: 0, to: 2 } }),
      hash(PAIR, 'USER_DEFINED:36', { encoding: 'windows-1252' }),
      hash(PAIR, 'USER_DEFINED:36', {}, { fixIds: true }),
      fileHash({ ...base, sha256: 'b', understood: understood(PAIR), types: 'USER_DEFINED:36' }),
    ];
    expect(new Set([one, ...others]).size).toBe(others.length + 1);
  });
});
