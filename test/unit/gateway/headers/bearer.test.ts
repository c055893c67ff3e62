/** Bearer keys: who is the same caller, and who is none. */
import { describe, expect, it } from '@jest/globals';
import { createGuard } from '../../../../src/gateway/headers/bearer.js';

describe('bearer keys', () => {
  const callerOf = createGuard(['one', 'two']);
  it.each(['Bearer two', 'bearer two', 'BEARER  two '])('%j is the same caller', given => {
    expect(callerOf(given)).toMatch(/^[\w-]{22}$/);
    expect(callerOf(given)).toBe(callerOf('Bearer two'));
    expect(callerOf(given)).not.toBe(callerOf('Bearer one'));
  });
  it.each([undefined, '', 'one', 'Bearer', 'Bearer ', 'Bearer o', 'Bearer one two', 'Basic one'])(
    '%j may not',
    given => {
      expect(callerOf(given)).toBeUndefined();
    },
  );
  it('none configured: everybody may', () => {
    expect(createGuard([])(undefined)).toBe('');
  });
});
