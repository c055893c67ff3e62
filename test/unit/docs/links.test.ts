/** Every link of a page into the repository leads somewhere, and every page of docs is found from the README. */
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { linkFault, linksOf, PAGES } from '../../support/pages.js';

it.each(PAGES)('each link of %s leads to a file and, if it names a heading, to that heading', page => {
  expect(linksOf(page).flatMap(target => linkFault(page, target) ?? [])).toEqual([]);
});

it('each page of docs is reached by links from the README', () => {
  const reached = new Set(['README.md']);
  for (const page of reached)
    for (const target of linksOf(page)) {
      const [file = ''] = target.split('#');
      const found = path.posix.join(path.posix.dirname(page), file);
      if (found.endsWith('.md')) reached.add(found);
    }
  const docs = PAGES.filter(page => page.startsWith('docs/'));
  expect(docs.length).toBeGreaterThan(50);
  expect(docs.filter(page => !reached.has(page))).toEqual([]);
});

it('a link to nothing, to a wrong heading, and out of the repository is a fault', () => {
  expect(linkFault('README.md', 'docs/nothing.md')).toContain('does not exist');
  expect(linkFault('README.md', 'docs/getting-started.md#nothing')).toContain('is no heading');
  expect(linkFault('README.md', '../elsewhere.md')).toContain('does not exist');
  expect(linkFault('docs/guides/files.md', '../getting-started.md#2-make-a-service-key')).toBeUndefined();
});
