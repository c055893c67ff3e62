/** The bar of a request: created, rejected, cancelled and queued, as parts of what was accepted. */
import { countsOf, percentOf } from '../text/request-words.js';
import type { RequestLine } from '../view.js';
import { element } from './dom.js';

const PARTS = ['created', 'rejected', 'cancelled', 'queued'] as const;

export type RequestBar = { readonly node: HTMLElement; update(request: Omit<RequestLine, 'account'>): void };

export function createBar(): RequestBar {
  const node = element('div', { class: 'bar', role: 'img' });
  const parts = PARTS.map(part => element('span', { 'data-part': part }));
  node.append(...parts);
  return {
    node,
    update(request) {
      node.setAttribute('aria-label', `${percentOf(request)} decided: ${countsOf(request)}`);
      PARTS.forEach((name, at) => {
        const part = parts[at];
        if (!part) return;
        part.hidden = request[name] <= 0;
        part.style.flexGrow = String(Math.max(0, request[name]));
      });
    },
  };
}
