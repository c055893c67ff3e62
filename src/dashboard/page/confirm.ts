/** Asks before something that cannot be taken back. */
import { byId, setText } from './dom.js';

/** @param verb on the button that does it @returns true if the operator wants it; Escape and Keep mean no */
export async function confirmed(title: string, text: string, verb: string): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>('confirm');
  setText(byId('confirm-title'), title);
  setText(byId('confirm-text'), text);
  setText(byId('confirm-do'), verb);
  dialog.returnValue = '';
  dialog.showModal();
  await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }));
  return dialog.returnValue === 'do';
}
