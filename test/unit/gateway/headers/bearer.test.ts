/** Bearer keys: which headers are the same caller, and which are none. */
import { describe, expect, it } from '@jest/globals';
import { createGuard } from '../../../../src/gateway/headers/bearer.js';

describe('a bearer key', () => {
  const callerOf = createGuard(['one', 'two']);
  it.each(['Bearer two', 'bearer two', 'BEARER  two '])('is the same caller when it is written %j', given => {
    expect(callerOf(given)).toMatch(/^[\w-]{22}$/);
    expect(callerOf(given)).toBe(callerOf('Bearer two'));
    expect(callerOf(given)).not.toBe(callerOf('Bearer one'));
  });
  it.each([undefined, '', 'one', 'Bearer', 'Bearer ', 'Bearer o', 'Bearer one two', 'Basic one'])(
    'is refused when the header is %j',
    given => {
      expect(callerOf(given)).toBeUndefined();
    },
  );
  it('is not asked for when no key is configured', () => {
    expect(createGuard([])(undefined)).toBe('');
  });
});
