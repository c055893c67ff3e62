import { existsSync } from 'node:fs';

/** One file instead of 700 (scripts/build.mjs). Unit tests run without a build as well, and then load the 700. */
const TYPEBOX = 'dist/shared/contract/typebox.js';
const isBuilt = existsSync(new URL(TYPEBOX, import.meta.url));

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // they need a package registry, or take minutes: jest.packages.config.mjs, jest.chart.config.mjs, jest.engines.config.mjs
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/(packages|chart|engines)/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  moduleNameMapper: {
    ...(isBuilt && { '^\\.{1,2}/(.*/)?typebox\\.js$': `<rootDir>/${TYPEBOX}` }),
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  // Most tests wait, for a window or for a process to start: a third file at a time keeps two cores busy.
  maxWorkers: 3,
  // a quiet machine needs a tenth of it: what hangs is found, and what is late is not taken for it
  testTimeout: 120_000,
};
