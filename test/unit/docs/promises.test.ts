/** What the pages promise about themselves: the README is short, lists are complete. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CATEGORIES } from '../../../src/gateway/refusal.js';
import * as library from '../../../src/index.js';
import { linksOf, textOf } from '../../support/pages.js';

describe('the README', () => {
  const text = textOf('README.md');

  it('has at most 150 lines', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(150);
  });

  it('has the two commands to try it', () => {
    expect(text).toMatch(/^npm ci && npm run demo\b/m);
    expect(text).toMatch(/^npm ci && npm test\b/m);
  });
});

it('docs/design/decisions.md lists every decision', () => {
  const listed = linksOf('docs/design/decisions.md').map(link => link.replace('../decisions/', ''));
  expect(readdirSync('docs/decisions').filter(file => !listed.includes(file))).toEqual([]);
});

describe('docs/reference/errors.md', () => {
  const text = textOf('docs/reference/errors.md');

  it('names every error that the library exports, with its code', () => {
    const names = Object.keys(library).filter(name => name.endsWith('Error'));
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter(name => !text.includes(`| \`${name}\` |`))).toEqual([]);
  });

  it('names every status with which the gateway refuses, and its category', () => {
    for (const [status, category] of Object.entries(CATEGORIES))
      expect(text).toContain(`| ${status} | \`${category}\` |`);
  });
});
