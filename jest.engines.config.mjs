// The tests of Redis in its larger forms: each starts many servers and takes minutes (npm run engines). One after the other.
import config from './jest.config.mjs';
export default {
  ...config,
  testPathIgnorePatterns: ['/node_modules/'],
  testMatch: ['**/engines/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 600_000,
};
