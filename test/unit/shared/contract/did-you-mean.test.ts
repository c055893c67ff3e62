/** Names that are nearly right. */
import { expect, test } from '@jest/globals';
import { didYouMean, meant } from '../../../../src/shared/contract/did-you-mean.js';

test.each([
  ['wroker', ['worker', 'stats'], 'worker'],
  ['lst', ['list', 'retry'], 'list'],
  ['retyr', ['list', 'retry'], 'retry'],
  ['trery', ['list', 'retry'], undefined],
  ['LABELS', ['label', 'types'], 'label'],
  ['labe', ['table', 'label'], 'label'],
  ['table', ['label'], undefined],
  ['foo', ['--to', 'from'], undefined],
  ['x', [], undefined],
])('%s among %j means %s', (name, known, expected) => {
  expect(meant(name, known)).toBe(expected);
});

test('what is near enough, and how names are compared, is for the caller to say', () => {
  expect(meant('abcd', ['abxy'], { edits: () => 1 })).toBeUndefined();
  expect(meant('abcd', ['abxy'], { edits: () => 2 })).toBe('abxy');
  expect(meant('A B', ['a-b'], { edits: () => 0, as: name => name.replace(/\W/g, '').toLowerCase() })).toBe(
    'a-b',
  );
});

test('the words are the same for all, and none without a name', () => {
  expect(`unknown option --jsn${didYouMean('--json')}`).toBe('unknown option --jsn: did you mean --json?');
  expect(didYouMean(undefined)).toBe('');
});
