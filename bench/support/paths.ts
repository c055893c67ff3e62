/** Paths of the package: npm runs bench, faults and tests in its root. */
import path from 'node:path';

export const fromRoot = (place: string): string => path.resolve(place);

export const CLI = fromRoot('dist/cli.js');
export const RESULTS = fromRoot('bench/RESULTS.md');
export const packageJsonOf = (name: string): string => fromRoot(`node_modules/${name}/package.json`);
