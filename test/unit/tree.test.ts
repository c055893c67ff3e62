/** test/unit mirrors the tree: one module, one file. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('each file of test/unit stands where its module stands in src, or in faults', () => {
  const strays = readdirSync(`${root}test/unit`, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.test.ts') && !/^(deploy|docs)\//.test(file) && file !== 'tree.test.ts')
    .map(file => file.replace(/test\.ts$/, 'ts'))
    .filter(file => !existsSync(`${root}src/${file}`) && !existsSync(root + file));
  expect(strays).toEqual([]);
});
