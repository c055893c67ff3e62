/** Texts that only the page makes. */
import { expect, test } from '@jest/globals';
import { answersText } from '../../../../src/dashboard/page/format.js';

test.each([
  [['207'], '207'],
  [new Array(37).fill('207'), '207 × 37'],
  [['207', '400 c-1', '207', ''], '207 × 2, 400 c-1'],
  [[], ''],
])('the answers %j are counted by status', (answers, text) => expect(answersText(answers)).toBe(text));
