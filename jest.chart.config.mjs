// The tests of the Helm chart, which need helm and kubectl (npm run test:chart fetches them).
import config from './jest.config.mjs';
export default {
  ...config,
  testPathIgnorePatterns: ['/node_modules/'],
  testMatch: ['**/chart/*.test.ts'],
};
