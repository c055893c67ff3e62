/** The Prefer header. */
import { describe, expect, it } from '@jest/globals';
import { parsePrefer, preferenceApplied } from '../../../../src/gateway/headers/prefer.js';

describe('the Prefer header', () => {
  it.each([
    [undefined, false, 0],
    ['respond-async', true, 0],
    ['wait=10', false, 10],
    ['Wait = "5" , Respond-Async; foo=1', true, 5],
    ['wait=61', false, 60],
    ['wait=5, wait=9', false, 5],
    ['wait=-1, wait=x, return=minimal', false, 0],
    ['wait=99999999999999', false, 0],
    [['wait=2', 'respond-async'], true, 2],
  ])('is read: %j', (header, respondAsync, waitSeconds) => {
    expect(parsePrefer(header)).toEqual({ respondAsync, waitSeconds });
  });

  it('is answered with what was applied', () => {
    expect(preferenceApplied({ respondAsync: true, waitSeconds: 3 })).toBe('respond-async, wait=3');
    expect(preferenceApplied({ respondAsync: false, waitSeconds: 0 })).toBeUndefined();
  });
});
