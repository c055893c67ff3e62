// The site: navigation from docs/index.md, search in the browser, the same anchors as GitHub.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';

const index = readFileSync(fileURLToPath(new URL('../pages/index.md', import.meta.url)), 'utf8');

/** Each bold line of the index begins a group; its links follow. Links after the last list are the project's own. */
function sidebar() {
  const groups = [];
  for (const line of index.split('\n')) {
    const [, heading] = /^\*\*(.+)\*\*$/.exec(line) ?? [];
    if (heading) groups.push({ text: heading, items: [] });
    else if (line.startsWith('[')) groups.push({ text: 'Project', items: [] });
    const links = [...line.matchAll(/\[([^\]]+)\]\(([^)]+)\.md\)/g)];
    groups.at(-1)?.items.push(...links.map(([, text, link]) => ({ text, link: link.replace(/^\./, '') })));
  }
  return groups.filter(({ items }) => items.length > 0);
}

// as test/support/pages.ts: what GitHub makes of a heading
const slugify = title =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

export default defineConfig({
  title: 'hubspot-association-queue',
  description: 'Creates HubSpot associations from a queue: in full batches, under the rate limit, none lost',
  base: process.env.DOCS_BASE ?? '/',
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: '.vitepress/cache',
  cleanUrls: false,
  lastUpdated: false,
  markdown: { html: false, anchor: { slugify } }, // text in angle brackets is text
  themeConfig: {
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Runbook', link: '/operations/runbook' },
      { text: 'Changes', link: '/changelog' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
