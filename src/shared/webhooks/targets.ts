/**
 * The webhooks of an installation: what each is told, and in which form. ALERT_WEBHOOK_URL gets sentences for a chat,
 * REQUEST_WEBHOOK_URL signed events for programs.
 */
import { randomUUID } from 'node:crypto';
import { type Keys, queueName } from '../contract/keys.js';
import type { Config } from '../runtime/config.js';
import type { RequestView } from '../state/requests.js';
import type { Announcement } from './announcement.js';
import { chatText, testText } from './chat-text.js';
import { eventBody, SIGNATURE_HEADER, signatureOf, testBody } from './signed-body.js';
import { type Headers, Webhook } from './webhook.js';

/** How long a receiver may take to answer. */
export const POST_MS = 10_000;

export type WebhookConfig = Pick<
  Config,
  | 'alertWebhookUrl'
  | 'alertRejectionRate'
  | 'requestWebhookUrl'
  | 'requestWebhookSecret'
  | 'requestWebhookMin'
>;

/** One webhook. */
export type Target = {
  /** the setting, for logs */
  readonly name: 'ALERT_WEBHOOK_URL' | 'REQUEST_WEBHOOK_URL';
  readonly webhook: Webhook;
  /** the hash of what it was told */
  readonly key: string;
  /** announce holds of the account, and rejections over this share (percent; 0 = no rejections); undefined: neither */
  readonly rejectionRate?: number;
  /** announce ends of requests that have a name or more associations than this; undefined: of none */
  readonly requestsOver?: number;
  /** @returns undefined if there is nothing to say any more */
  readonly bodyOf: (announcement: Announcement) => Promise<string | undefined>;
  readonly headersOf: (body: string) => Headers;
  readonly testBody: () => string;
};

type ReadRequest = (id: string) => Promise<RequestView | undefined>;

export function targetsOf(config: WebhookConfig, keys: Keys, readRequest: ReadRequest): Target[] {
  const { alertWebhookUrl: chat, requestWebhookUrl: url } = config;
  return [
    ...(chat ? [chatTarget(config, chat, keys)] : []),
    ...(url ? [requestTarget(config, url, keys, readRequest)] : []),
  ];
}

function requestTarget(
  { requestWebhookSecret: secret = '', requestWebhookMin: requestsOver }: WebhookConfig,
  url: string,
  keys: Keys,
  readRequest: ReadRequest,
): Target {
  return {
    name: 'REQUEST_WEBHOOK_URL',
    webhook: new Webhook(url, POST_MS),
    key: keys.requestWebhook,
    requestsOver,
    bodyOf: async event =>
      eventBody(event, keys.account, event.kind === 'request' ? await readRequest(event.request) : undefined),
    headersOf: body => ({ [SIGNATURE_HEADER]: signatureOf(body, secret, Date.now()) }),
    testBody: () => testBody(`test-${randomUUID()}`, Date.now(), keys.account),
  };
}

function chatTarget({ alertRejectionRate }: WebhookConfig, url: string, keys: Keys): Target {
  const queue = queueName(keys.account);
  const bodyOf = (text: string) => JSON.stringify({ text });
  return {
    name: 'ALERT_WEBHOOK_URL',
    webhook: new Webhook(url, POST_MS),
    key: keys.alerts,
    rejectionRate: alertRejectionRate,
    bodyOf: async event => (event.kind === 'request' ? undefined : bodyOf(chatText(event, queue))),
    headersOf: () => ({}),
    testBody: () => bodyOf(testText(queue)),
  };
}
