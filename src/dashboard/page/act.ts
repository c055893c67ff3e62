/** An operator's action: one call, and one sentence about its result. */
import { byId, setText } from './dom.js';

/** @returns the answer; undefined if it was refused, which the page then shows */
export async function post<T>(path: string, button?: HTMLButtonElement): Promise<T | undefined> {
  if (button) button.disabled = true;
  try {
    const response = await fetch(path, { method: 'POST', headers: { 'x-association-queue': '1' } });
    const body = (await response.json()) as T & { message?: string };
    if (response.ok) return body;
    say(body.message ?? `The dashboard answered ${response.status}`, 'bad');
  } catch {
    say('The dashboard cannot be reached', 'bad');
  } finally {
    if (button) button.disabled = false;
  }
  return undefined;
}

/** Successes disappear soon; errors stay long enough to be read. */
const SHOWN_MS = { good: 15_000, bad: 60_000 };
let hiding: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, tone: 'good' | 'bad' = 'good'): void {
  const message = byId('message');
  message.dataset.tone = tone;
  message.hidden = text === '';
  setText(message, text);
  clearTimeout(hiding);
  if (text !== '') hiding = setTimeout(() => say(''), SHOWN_MS[tone]);
}
