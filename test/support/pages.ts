/** The pages that people read: README, docs, folder pages. Their headings, links and code blocks, read from Markdown. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const markdownIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.md') && !file.startsWith('site/')) // what npm run docs makes
    .map(file => path.posix.join(folder, file));

/** Paths from the root of the repository. */
export const PAGES: readonly string[] = [
  ...readdirSync('.').filter(file => file.endsWith('.md')),
  ...['docs', 'src', 'client', 'test', 'bench', 'deploy', '.github'].flatMap(markdownIn),
].toSorted();

/** What users read, without the pages about the code. */
export const USER_PAGES: readonly string[] = PAGES.filter(
  page =>
    page === 'README.md' ||
    page === 'CONTRIBUTING.md' ||
    /^docs\/(?!decisions|design)[\w/-]+\.md$/.test(page),
);

export const textOf = (page: string): string => readFileSync(page, 'utf8');

export type Block = { readonly page: string; readonly language: string; readonly text: string };

/** Fenced blocks of code; `sh`, `js`, `json` … */
export const blocksOf = (page: string): Block[] =>
  [...textOf(page).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language = '', text = '']) => ({
    page,
    language,
    text,
  }));

const withoutCode = (text: string): string =>
  text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, 'code');

/** Targets of links and images that lead into the repository. */
export const linksOf = (page: string): string[] =>
  [...withoutCode(textOf(page)).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, target = '']) => target);

/** The anchors that GitHub, and our site, make of a page's headings; a repeated heading gets a number. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  const body = textOf(page).replace(/^```[\s\S]*?^```/gm, '');
  for (const [, title = ''] of body.matchAll(/^#+ (.*)$/gm)) {
    const anchor = anchorOf(title);
    let name = anchor;
    for (let times = 1; anchors.has(name); times++) name = `${anchor}-${times}`;
    anchors.add(name);
  }
  return anchors;
}

/** Of a heading: `[text](target)` counts as its text. */
const anchorOf = (title: string): string =>
  title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/** @returns what is wrong with a link of `page`; undefined if it leads somewhere */
export function linkFault(page: string, target: string): string | undefined {
  const [file = '', anchor] = decodeURI(target).split('#');
  const found = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
  if (found.startsWith('..') || !existsSync(found)) return `${page}: ${target} does not exist`;
  if (anchor === undefined) return undefined;
  if (!found.endsWith('.md') || !anchorsOf(found).has(anchor)) return `${page}: ${target} is no heading`;
  return undefined;
}
