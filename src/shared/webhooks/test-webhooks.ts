/** Posts a test to each webhook that is set, for `alerts test` and for the page. Needs no Redis. */
import type { Keys } from '../contract/keys.js';
import { type Target, targetsOf, type WebhookConfig } from './targets.js';
import type { PostResult } from './webhook.js';

export type WebhookTest = PostResult & {
  /** the setting */
  readonly name: Target['name'];
  /** host of the receiver */
  readonly place: string;
  readonly ms: number;
};

/** Never rejects: what came back is in the results. */
export function testWebhooks(config: WebhookConfig, keys: Keys): Promise<WebhookTest[]> {
  const targets = targetsOf(config, keys, async () => undefined);
  return Promise.all(
    targets.map(async ({ name, webhook, headersOf, testBody }) => {
      const since = performance.now();
      const body = testBody();
      const result = await webhook.post(body, headersOf(body), new AbortController().signal);
      return { name, place: webhook.place, ms: Math.round(performance.now() - since), ...result };
    }),
  );
}

/** Pure. A line for each webhook. */
export function webhookTestText(results: readonly WebhookTest[]): string[] {
  if (results.length === 0) return ['neither ALERT_WEBHOOK_URL nor REQUEST_WEBHOOK_URL is set'];
  return results.map(
    ({ name, place, fate, what, ms }) =>
      `${name} (${place}): ${fate === 'taken' ? 'the test was taken' : 'the test was not taken'}: ${what} after ${ms} ms`,
  );
}
