// Copies the pages of the repository into a folder for VitePress. The pages stay as GitHub shows them; only here
// their links change:
//   a page of the repository   → where that page is on the site
//   a picture, the job schema  → the copied file
//   any other file or folder   → its text without a link, because the site has no sources
// HTML comments (the marks of generated tables) are left out.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

/** Pages beside docs/, by their place in the repository → on the site. */
const OTHERS = {
  'README.md': 'readme.md',
  'SECURITY.md': 'security.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'client/README.md': 'guides/client.md',
  'bench/RESULTS.md': 'design/results.md',
  'deploy/monitoring/README.md': 'operations/deploy-monitoring.md',
  'deploy/helm/association-queue/README.md': 'operations/helm-chart.md',
  'test/README.md': 'code/test.md',
};

/** @param {string} root of the repository @param {string} target folder for the pages; replaced */
export function stage(root, target) {
  rmSync(target, { recursive: true, force: true });
  const pages = pagesOf(root);
  for (const [from, to] of pages) {
    const text = readFileSync(path.join(root, from), 'utf8').replace(/<!--[\s\S]*?-->\n?/g, '');
    const place = path.join(target, to);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(
      place,
      withLinks(text, target => linkOf(from, target, pages)),
    );
  }
  cpSync(path.join(root, 'docs/images'), path.join(target, 'images'), { recursive: true });
  mkdirSync(path.join(target, 'public'), { recursive: true });
  copyFileSync(path.join(root, 'docs/job.schema.json'), path.join(target, 'public/job.schema.json'));
}

/** @returns Map of the path in the repository → path on the site */
function pagesOf(root) {
  const markdownIn = folder =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.md') && !/(^|\/)(site|node_modules)\//.test(file))
      .map(file => path.posix.join(folder, file));
  return new Map([
    ...markdownIn('docs').map(file => [file, path.posix.relative('docs', file)]),
    ...markdownIn('src').map(file => [
      file,
      `code/${path.posix.dirname(path.posix.relative('src', file))}.md`,
    ]),
    ...Object.entries(OTHERS).filter(([file]) => existsSync(path.join(root, file))),
  ]);
}

/** Replaces the links of prose; blocks and spans of code stay. @param linkOf target → new target, or undefined for none */
function withLinks(text, linkOf) {
  return text.replace(
    /^```[\s\S]*?^```|(!?)\[((?:[^\]`]|`[^`]*`)*)\]\(([^)\s]+)\)|`[^`\n]*`/gm,
    (all, mark, title, target) => {
      if (target === undefined || /^[a-z]+:/.test(target)) return all;
      const found = linkOf(target);
      return found === undefined ? title : `${mark}[${title}](${found})`;
    },
  );
}

function linkOf(page, target, pages) {
  const [file, anchor] = target.split('#');
  if (file === '') return target;
  const found = path.posix.join(path.posix.dirname(page), file);
  if (found === 'docs/job.schema.json') return '/job.schema.json';
  const here = path.posix.dirname(pages.get(page));
  const to = found.startsWith('docs/images/') ? path.posix.relative('docs', found) : pages.get(found);
  if (to === undefined) return undefined;
  const link = path.posix.relative(here, to);
  return `${link.startsWith('.') ? link : `./${link}`}${anchor === undefined ? '' : `#${anchor}`}`;
}
