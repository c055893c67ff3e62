/**
 * What a failover loses: a gateway and a producer take associations all the time while the primary is replaced, and what they
 * have acknowledged is looked for in the new one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import { createProducer } from '../../src/index.js';
import { messageOf } from '../../src/shared/contract/errors.js';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { startSimulator } from '../../src/simulator/server.js';
import { eventually } from './eventually.js';
import { type GatewayProcess, startGateway } from './gateway.js';
import { startCommand } from './process.js';
import { CONTACT_TO_COMPANY, goodPairs, inputOf } from './samples.js';
import { Sentinels } from './sentinels.js';

export type Case = {
  /** `cut off`: nothing reaches the replicas in the last second before the kill */
  readonly how: 'planned' | 'planned, writes paused' | 'kill -9' | 'kill -9, replicas cut off';
  /** min-replicas-to-write of the servers */
  readonly minReplicas: number;
  /** REDIS_WAIT_REPLICAS */
  readonly wait: number;
};
export type Counts = {
  readonly acknowledged: number;
  readonly refused: number;
  readonly lost: number;
  /** why calls were refused: the words, and how often */
  readonly reasons: Readonly<Record<string, number>>;
};
export type Outcome = { readonly gateway: Counts; readonly library: Counts };

const PREFIX = 'failover';
const KEYS = accountKeys(PREFIX);
/** A call of each caller. */
const EVERY_MS = 100;
const CALLS = 300;
/** The failover begins at this call. */
const AT = 60;
/** The replicas are cut off for so many calls. */
const CUT_OFF = 10;
/** Until Sentinel has made a replica of the old primary, which it does ten seconds after the failover. */
const PAUSE_MS = 20_000;
/** A supervisor starts a killed primary again after this time. */
const AGAIN_MS = 6_000;
/** contacts from here on are the library's */
const LIBRARY_FROM = 500_000_001;
const TOKEN = 'pat-test-failover';

/** One caller, which sends a pair of its own at a time. */
class Caller {
  readonly #acknowledged = new Set<string>();
  readonly #calls: Promise<void>[] = [];
  readonly #reasons: Record<string, number> = {};

  /** @param send resolves if the pair is acknowledged, else it rejects */
  constructor(
    private readonly pairs: ReturnType<typeof goodPairs>,
    private readonly send: (from: string, to: string) => Promise<unknown>,
  ) {}

  call(at: number): void {
    const [from = '', to = ''] = this.pairs[at] ?? [];
    this.#calls.push(
      this.send(from, to).then(
        () => void this.#acknowledged.add(from),
        (error: unknown) => {
          const reason = messageOf(error);
          this.#reasons[reason] = (this.#reasons[reason] ?? 0) + 1;
        },
      ),
    );
  }

  async over(): Promise<void> {
    await Promise.all(this.#calls);
  }

  counts(found: ReadonlySet<string>): Counts {
    const lost = [...this.#acknowledged].filter(from => !found.has(from)).length;
    const refused = Object.values(this.#reasons).reduce((all, each) => all + each, 0);
    return { acknowledged: this.#acknowledged.size, refused, lost, reasons: this.#reasons };
  }
}

const caller = (gateway: GatewayProcess): Caller =>
  new Caller(goodPairs(CALLS), async (from, to) => {
    // a third of the requests has a job of its own
    const headers: Record<string, string> = Number(from) % 3 === 0 ? { 'idempotency-key': from } : {};
    const { status, body } = await gateway.post([inputOf(from, to)], headers);
    if (status !== 201) throw new Error(`${status} ${body.message}`);
  });

/** Lets each of them call at its rate while the primary is replaced. @returns the port of the new one */
async function replaced(sentinels: Sentinels, how: Case['how'], callers: readonly Caller[]): Promise<number> {
  const isPlanned = how === 'planned' || how === 'planned, writes paused';
  for (let at = 0; at < CALLS; at++) {
    if (at === AT - CUT_OFF && how === 'kill -9, replicas cut off') await sentinels.cutReplicas();
    if (at === AT && isPlanned) await sentinels.failover(how === 'planned' ? undefined : PAUSE_MS);
    if (at === AT && !isPlanned) await sentinels.killPrimary();
    if (at === AT) sentinels.resumeReplicas();
    if (at === AT + AGAIN_MS / EVERY_MS && !isPlanned) sentinels.startKilledAgain();
    for (const each of callers) each.call(at);
    await delay(EVERY_MS); // the rate is the condition, and nothing is waited for
  }
  await Promise.all(callers.map(each => each.over()));
  return sentinels.afterFailover();
}

export async function measure({ how, minReplicas, wait }: Case): Promise<Outcome> {
  const sentinels = await Sentinels.start({
    'min-replicas-to-write': String(minReplicas),
    'min-replicas-max-lag': '3',
  });
  const producer = createProducer({ redisUrl: sentinels.url, prefix: PREFIX, waitReplicas: wait });
  let gateway: GatewayProcess | undefined;
  try {
    gateway = await startGateway({
      ...{ REDIS_URL: sentinels.url, QUEUE_PREFIX: PREFIX, REDIS_WAIT_REPLICAS: String(wait) },
    });
    const posts = caller(gateway);
    const calls = new Caller(goodPairs(CALLS, LIBRARY_FROM), (from, to) =>
      producer.enqueue({
        ...{ fromObjectType: 'contacts', toObjectType: 'companies', types: [CONTACT_TO_COMPANY] },
        ...{ from, to },
      }),
    );
    const found = await contactsAt(await replaced(sentinels, how, [posts, calls]));
    return { gateway: posts.counts(found), library: calls.counts(found) };
  } finally {
    await producer.close();
    await gateway?.end('SIGKILL');
    await sentinels.stop();
  }
}

/** @returns the contacts in all waiting jobs */
async function contactsAt(port: number): Promise<ReadonlySet<string>> {
  const redis = new Redis(port);
  try {
    const { wait, jobs } = bullmqKeys(KEYS);
    const ids = await redis.lrange(wait, 0, -1);
    const texts = await Promise.all(ids.map(id => redis.hget(jobs + id, 'data')));
    const pairs = texts.flatMap(text => (JSON.parse(text ?? '{}') as { pairs: [string, string][] }).pairs);
    return new Set(pairs.map(([from]) => from));
  } finally {
    redis.disconnect();
  }
}

/** What a worker has counted after a failover in which Redis has lost some of its settlements. */
export type Counted = {
  /** totals of the queue, and sums over all requests of which something was created */
  readonly totals: number;
  readonly ofRequests: number;
  readonly accepted: number;
  /** created at HubSpot, and sent again */
  readonly atHubSpot: number;
  readonly sentTwice: number;
};

/** A worker works all the time; calls take so long that some are answered in the second that is lost. Nobody waits for replicas. */
export async function workThrough(how: Case['how']): Promise<Counted> {
  const [sentinels, simulator] = await Promise.all([
    Sentinels.start(),
    startSimulator({ rateLimitCalls: 0, accessToken: TOKEN, latencyMs: 800 }),
  ]);
  const place = { REDIS_URL: sentinels.url, QUEUE_PREFIX: PREFIX };
  const worker = startCommand('worker', {
    ...{ ...place, METRICS_PORT: '0', JOB_LOCK_MS: '2000', RATE_LIMIT_CALLS: '100000', BATCH_LINGER_MS: '0' },
    ...{ HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  let gateway: GatewayProcess | undefined;
  try {
    gateway = await startGateway(place);
    const redis = new Redis(await replaced(sentinels, how, [caller(gateway)]));
    try {
      const { wait, active, delayed } = bullmqKeys(KEYS);
      await eventually(async () => {
        const left = await Promise.all([redis.llen(wait), redis.llen(active), redis.zcard(delayed)]);
        if (left.some(count => count > 0)) throw new Error(`${left} jobs are left`);
      });
      const names = (await redis.keys(`${KEYS.requests}*`)).filter(name => !name.endsWith(':reasons'));
      const records = await Promise.all(names.map(name => redis.hmget(name, 'accepted', 'created')));
      const sum = (numbers: readonly number[]) => numbers.reduce((all, each) => all + each, 0);
      return {
        totals: Number(await redis.hget(KEYS.counters, 'created')),
        ofRequests: sum(records.map(([, created]) => Number(created))),
        // a request that was noted, and whose jobs were lost, has nothing created
        accepted: sum(records.map(([accepted, created]) => (Number(created) > 0 ? Number(accepted) : 0))),
        atHubSpot: simulator.ledger.createdCount(),
        sentTwice: simulator.ledger.repeats,
      };
    } finally {
      redis.disconnect();
    }
  } finally {
    await gateway?.end('SIGKILL');
    await worker.end('SIGKILL');
    await Promise.all([sentinels.stop(), simulator.stop()]);
  }
}
