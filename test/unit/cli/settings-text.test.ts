/** The list of settings on a terminal, and as a file. */
import { expect, it } from '@jest/globals';
import { envFileText, settingsText } from '../../../src/cli/settings-text.js';
import { SETTINGS } from '../../../src/shared/runtime/settings.js';

it('names every setting with what it does', () => {
  const lines = settingsText().split('\n');
  for (const { name, doc } of Object.values(SETTINGS)) {
    const at = lines.findIndex(line => line.startsWith(`${name}  (`));
    expect(lines[at + 1]).toBe(`    ${doc.replaceAll('`', '')}`);
  }
});

it('wraps to the width of the terminal', () => {
  const longest = Math.max(
    ...settingsText(60)
      .split('\n')
      .map(line => line.length),
  );
  expect(longest).toBeLessThanOrEqual(60);
});

it('is a file whose lines are comments or NAME=value', () => {
  for (const line of envFileText().split('\n').filter(Boolean)) expect(line).toMatch(/^(# |#?[A-Z_]+=)/);
});
