/**
 * The headline of a page: the state in one sentence, or why nobody knows it now. Old figures never stand in the headline
 * as if they were current.
 */
import { type Sentence, stateTitle } from '../text/state-sentence.js';
import type { View } from '../view.js';
import { byId, setText } from './dom.js';
import { clockWithSeconds } from './format.js';
import { type Contact, noticeDetails, noticeText } from './notice.js';

const contact: Contact = { lastWordAt: 0, unreachable: false, trouble: null };
let known: Sentence | undefined;
let announced = '';

export function heard(trouble?: View['trouble']): void {
  contact.lastWordAt = Date.now();
  contact.unreachable = false;
  if (trouble !== undefined) contact.trouble = trouble;
  showHeadline();
}

export function reachable(isReachable: boolean): void {
  contact.unreachable = !isReachable;
  showHeadline();
}

export function showState(sentence: Sentence): void {
  known = sentence;
  showHeadline();
}

/** Call it every second as well: a connection may stay open without data (a proxy that hangs, a suspended dashboard). */
export function showHeadline(): void {
  const notice = noticeText(contact, Date.now(), clockWithSeconds);
  const details = byId('connection');
  details.hidden = notice === '';
  setText(details, notice && noticeDetails(contact, known?.text ?? ''));
  const { tone, text } = notice ? { tone: 'bad', text: notice } : (known ?? { tone: 'loading', text: '' });
  if (text === '') return;
  byId('state').dataset.tone = tone;
  setText(byId('sentence'), text);
  document.title = `${stateTitle(text)} · HubSpot associations`;
  // figures change every second; a screen reader should only announce a changed state
  const kind = `${tone} ${text.split(/[\s:,]/, 1)[0]}`;
  if (kind !== announced) setText(byId('announcer'), text);
  announced = kind;
}
