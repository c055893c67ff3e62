// The tests of the packed packages: they build and install, and need a package registry (npm run test:packages).
import config from './jest.config.mjs';
export default {
  ...config,
  testPathIgnorePatterns: ['/node_modules/'],
  testMatch: ['**/packages/*.test.ts'],
};
