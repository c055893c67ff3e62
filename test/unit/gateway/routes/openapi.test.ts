/** The published description of the gateway. */
import { expect, it } from '@jest/globals';
import { openApi } from '../../../../src/gateway/routes/openapi.js';

it('the description asks for a key only where one is needed', () => {
  expect(openApi('1', 5, false).paths['/requests/{id}']?.get?.security).toEqual([]);
  expect(openApi('1', 5, true).paths['/requests/{id}']?.get?.security).toEqual([{ bearer: [] }]);
});
