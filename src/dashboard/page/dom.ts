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

/**
 * A table whose roles survive a layout as cards.
 * @param columns head → class
 * @param layout its classes; `cards`: where there is little room each row becomes a card
 */
export function table(
  label: string,
  columns: readonly (readonly [head: string, kind?: string])[],
  layout = 'cards',
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
    { class: `table ${layout}` },
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

/**
 * Makes `wanted` the children, in this order, and moves only what stands elsewhere. The element with the focus is not
 * moved, because it would lose the focus.
 * @param refuge gets the focus if the element that had it is no longer wanted
 */
export function reconcile(into: HTMLElement, wanted: readonly HTMLElement[], refuge: HTMLElement): void {
  const kept = new Set<Element>(wanted);
  for (const child of [...into.children]) {
    if (kept.has(child)) continue;
    if (child.contains(document.activeElement)) refuge.focus();
    child.remove();
  }
  wanted.forEach((node, at) => {
    const there = into.children[at];
    if (there !== node && !node.contains(document.activeElement)) into.insertBefore(node, there ?? null);
  });
}
