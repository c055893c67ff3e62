// The tests of jest.config.mjs with what they execute of src; scripts/coverage.mjs runs them and adds it up.
import config from './jest.config.mjs';
export default {
  ...config,
  testEnvironment: './test/support/coverage-environment.mjs',
  collectCoverage: true,
  coverageProvider: 'v8',
  coverageReporters: ['json'],
  coverageDirectory: 'coverage',
  collectCoverageFrom: ['src/**/*.ts', '!src/dashboard/page/**'],
};
