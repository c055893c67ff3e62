/**
 * The page's replacement for a framework: elements with text, never with markup, and never with characters that reverse or
 * hide the text next to them.
 */
import { harmless } from '../../shared/runtime/text.js';

type Child = Node | string | undefined | false;
type Attributes = Readonly<Record<string, string | boolean | undefined>>;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children) if (child) made.append(typeof child === 'string' ? harmless(child) : child);
  return made;
}

/** @throws Error if the page has no such element, which is a bug */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found as T;
}

/** Changes text only if it differs, so that screen readers and selections are not disturbed. */
export function setText(node: Node, text: string): void {
  const shown = harmless(text);
  if (node.textContent !== shown) node.textContent = shown;
}

/** Isolates foreign text within our sentence, so that right-to-left text does not reorder our words. */
export const theirs = (text: string): HTMLElement => element('bdi', {}, text);

/** A table whose roles survive a layout as cards. @param columns head → class */
export function table(
  label: string,
  columns: readonly (readonly [head: string, kind?: string])[],
): {
  wrap: HTMLElement;
  body: HTMLElement;
} {
  const body = element('tbody', { role: 'rowgroup' });
  const heads = columns.map(([head, kind]) =>
    element(
      'th',
      { scope: 'col', role: 'columnheader', class: kind },
      head || element('span', { class: 'hidden' }, 'actions'),
    ),
  );
  const head = element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...heads));
  const wrap = element(
    'div',
    { class: 'table' },
    element('table', { role: 'table', 'aria-label': label }, head, body),
  );
  return { wrap, body };
}

export const cell = (
  label: string | undefined,
  kind: string | undefined,
  ...children: readonly Child[]
): HTMLElement => element('td', { role: 'cell', 'data-label': label, class: kind }, ...children);

export const row = (attributes: Attributes, ...cells: readonly HTMLElement[]): HTMLElement =>
  element('tr', { role: 'row', ...attributes }, ...cells);
