/** `association-queue alerts test`: posts a test to each webhook and prints what came back. */
import { type CommandSpec, PROGRAM, warnOf } from './command.js';

const TEST: CommandSpec = {
  usage: 'test',
  summary:
    'Posts a test to ALERT_WEBHOOK_URL and to REQUEST_WEBHOOK_URL, and prints what came back. It needs no Redis.',
  flags: [],
  example: `${PROGRAM} alerts test`,
  notes: 'Exits 0 if each webhook that is set has taken the test, 1 if one has not, or if none is set.',
  run: async given => {
    const { parseConfig } = await import('../shared/runtime/config.js');
    const config = given.settle(() => parseConfig(process.env));
    warnOf(config);
    const { accountKeys } = await import('../shared/contract/keys.js');
    const { testWebhooks, webhookTestText } = await import('../shared/webhooks/test-webhooks.js');
    const results = await testWebhooks(config, accountKeys(config.queuePrefix));
    for (const line of webhookTestText(results)) process.stdout.write(`${line}\n`);
    return results.length > 0 && results.every(({ fate }) => fate === 'taken') ? 0 : 1;
  },
};

export const ALERTS: readonly CommandSpec[] = [TEST];
