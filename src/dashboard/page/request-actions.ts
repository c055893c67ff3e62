/** What an operator does with a request: cancel it, retry or export its rejections. */
import { canCancel, hasRejections, requestName } from '../text/request-words.js';
import type { CancelProgress, RequestLine, Retried } from '../view.js';
import { post, say } from './act.js';
import { confirmed } from './confirm.js';
import { element } from './dom.js';
import { count, counted } from './format.js';

type Shown = Omit<RequestLine, 'account'>;

export type RequestActions = { readonly node: HTMLElement; update(request: Shown): void };

export function createActions(first: Shown, readOnly: boolean): RequestActions {
  let request = first;
  const url = `/api/requests/${encodeURIComponent(first.id)}`;
  const name = requestName(first);
  const labelled = (verb: string) => ({ type: 'button', 'aria-label': `${verb} ${name}` });
  const cancel = element('button', { ...labelled('Cancel'), class: 'danger' }, 'Cancel');
  cancel.addEventListener('click', () => void cancelRequest(request, url, cancel));
  const retry = element('button', labelled('Retry the rejected of'), 'Retry');
  retry.addEventListener('click', () => void retryRequest(name, url, retry));
  const exporting = element(
    'a',
    {
      class: 'button',
      href: `${url}/export`,
      download: '',
      'aria-label': `Export the rejected of ${name}`,
    },
    'Export',
  );
  const node = element('div', { class: 'buttons' }, ...(readOnly ? [exporting] : [retry, exporting, cancel]));
  const update = (now: Shown) => {
    request = now;
    cancel.hidden = !canCancel(now);
    retry.hidden = !hasRejections(now);
    exporting.hidden = !hasRejections(now);
  };
  update(first);
  return { node, update };
}

async function cancelRequest(request: Shown, url: string, button: HTMLButtonElement): Promise<void> {
  const name = requestName(request);
  const rest = counted(request.queued, 'association');
  const text = `${rest} of ${name} that nobody has sent yet will be taken out of the queue and not be created. What is decided stays as it is.`;
  if (!(await confirmed('Cancel this request?', text, 'Cancel the request'))) return;
  say(`Cancelling ${name} …`);
  const done = await post<CancelProgress>(`${url}/cancel`, undefined, button);
  if (!done) return;
  const left =
    done.queued > 0 ? `; ${count(done.queued)} are in the hands of workers, who take them back` : '';
  const cancelled = counted(done.cancelled, 'association');
  say(`Cancelled ${cancelled} of ${name}; ${count(done.decided)} were decided already${left}.`);
}

async function retryRequest(name: string, url: string, button: HTMLButtonElement): Promise<void> {
  const done = await post<Retried>(`${url}/retry`, undefined, button);
  if (!done) return;
  if (done.jobs === 0) say(`Nothing of ${name} waits for a decision: it was put back or discarded already.`);
  else
    say(
      `Put back to be tried again: ${counted(done.associations, 'association')} of ${name} in ${counted(done.jobs, 'job')}.`,
    );
}
