/** Where things are, seen from dist-bench/bench/support. */
import { fileURLToPath } from 'node:url';

export const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const CLI = fromRoot('dist/cli.js');
export const RESULTS = fromRoot('bench/RESULTS.md');
export const packageJsonOf = (name: string): string => fromRoot(`node_modules/${name}/package.json`);
