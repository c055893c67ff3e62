/** Calls of the page to the dashboard, and one sentence about the result of an operator's action. */
import { byId, setText } from './dom.js';

/** @returns the answer; undefined if it was refused, which the page then shows */
export async function post<T>(
  path: string,
  body?: object,
  button?: HTMLButtonElement,
): Promise<T | undefined> {
  if (button) button.disabled = true;
  try {
    return await answerOf<T>(
      await fetch(path, {
        method: 'POST',
        headers: { 'x-association-queue': '1', ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
  } catch {
    say('The dashboard cannot be reached', 'bad');
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

/** @returns the answer; undefined if it was refused, which the page then shows, or if the dashboard cannot be reached */
export async function get<T>(path: string): Promise<T | undefined> {
  try {
    return await answerOf<T>(await fetch(path));
  } catch {
    return undefined; // the headline says it
  }
}

async function answerOf<T>(response: Response): Promise<T | undefined> {
  const body = (await response.json()) as T & { message?: string };
  if (response.ok) return body;
  say(body.message ?? `The dashboard answered ${response.status}`, 'bad');
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
