/** Many requests and many kinds of rejections, as an account has after some weeks. Made up, in the form that Redis has. */
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { bullmqKeys } from '../../src/bullmq/layout.js';
import type { Pair } from '../../src/shared/contract/association.js';
import { JOB_NAME, type Keys } from '../../src/shared/contract/keys.js';
import { contactsToCompanies } from '../support/samples.js';

const HOUR_MS = 3_600_000;
const SHORT = ['contacts', 'companies'] as const;
const LONG = ['p4711_subscription_renewal_opportunities', 'p4711_customer_success_engagements'] as const;
const CATEGORIES = [
  'OBJECT_NOT_FOUND',
  'VALIDATION_ERROR',
  'LIMIT_EXCEEDED',
  'INVALID_ASSOCIATION_TYPE',
] as const;

/** Failed jobs with as many different errors, of which the dashboard makes groups. */
export async function seedRejections(redis: Redis, keys: Keys, kinds: number): Promise<void> {
  const { jobs, failed } = bullmqKeys(keys);
  const now = Date.now();
  const commands = redis.pipeline();
  for (let at = 0; at < kinds; at++) {
    const category = CATEGORIES[(at * at) % CATEGORIES.length] ?? '';
    const [fromObjectType, toObjectType] = at % 5 === 3 ? LONG : SHORT;
    const pairs = Array.from({ length: 1 + ((at * 37) % 400) }, (_, n) => [`${1e8 + n}`, `${7e8 + at}`]);
    const message = `Property ${nameOf(at)} of ${fromObjectType} refuses the value ${nameOf(at * 7)}`;
    const error = {
      at: new Date(now - at * 60_000).toISOString(),
      attempt: 1,
      httpStatus: 207,
      category,
      message,
    };
    const correlationId = `ca59e3a9-6938-4a92-a169-${String(at).padStart(12, '0')}`;
    const data = {
      ...{ version: 1, fromObjectType, toObjectType, pairs: [] },
      types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
      rejected: [{ error: { ...error, correlationId, pairs: pairs.length }, pairs }],
    };
    const id = `seeded-${at}`;
    commands.hset(jobs + id, {
      ...{ name: 'associate', data: JSON.stringify(data), opts: '{}', timestamp: now, attemptsMade: 1 },
      ...{ failedReason: `${pairs.length} rejected`, finishedOn: now - at * 60_000 },
    });
    commands.zadd(failed, now - at * 60_000, id);
  }
  await commands.exec();
}

/** Letters only: the groups ignore digits. */
const nameOf = (n: number): string =>
  [...n.toString(26).padStart(3, '0')]
    .map(digit => 'abcdefghijklmnopqrstuvwxyz'[Number.parseInt(digit, 26)])
    .join('');

/** The latest is the first. Some are in every state. */
export async function seedRequests(redis: Redis, keys: Keys, many: number): Promise<void> {
  const now = Date.now();
  const commands = redis.pipeline();
  for (let at = 0; at < many; at++) {
    const [id, fields] = requestAt(at, now);
    commands.hset(keys.requests + id, fields);
    commands.zadd(keys.requestList, Number(fields.enqueuedAt), id);
    if (fields.doneAt) commands.zadd(keys.requestsEnded, Number(fields.doneAt), id);
    if (Number(fields.rejected) > 0)
      commands.hset(`${keys.requests}${id}:reasons`, {
        a: Math.ceil(Number(fields.rejected) / 2),
        'a:about': JSON.stringify({ category: 'OBJECT_NOT_FOUND', message: 'No contact with ID … exists' }),
        b: Math.floor(Number(fields.rejected) / 2),
        'b:about': JSON.stringify({ category: 'VALIDATION_ERROR', message: '… is not a valid ID' }),
      });
  }
  await commands.exec();
}

function requestAt(at: number, now: number): [string, Record<string, string | number>] {
  const accepted = 1_000 + ((at * 7_919) % 300_000);
  const rejected = at % 3 === 0 ? Math.round(accepted * 0.003) : 0;
  const enqueuedAt = now - at * HOUR_MS - 60_000;
  const took = 30_000 + accepted * 2;
  const common = {
    name: at % 4 === 0 ? `contacts-to-companies-${at}.csv` : `crm-sync, night of day ${at}`,
    via: at % 4 === 0 ? 'file' : at % 4 === 1 ? 'library' : 'gateway',
    by: at % 4 === 0 ? 'revops@workstation' : 'crm-sync@app-1',
    source: at % 4 === 0 ? 'spreadsheet' : 'crm',
    ...{
      accepted,
      rejected,
      enqueuedAt,
      jobs: Math.ceil(accepted / 500),
      cancelled: 0,
      refusedLines: at % 9 === 0 ? 3 : 0,
    },
  };
  const id = `seeded-request-${at}`;
  if (at === 0)
    return [id, { ...common, created: 100, enqueueing: now + HOUR_MS, firstAt: enqueuedAt, lastAt: now }];
  if (at % 60 === 1) {
    const created = Math.floor((accepted - rejected) * 0.6);
    return [id, { ...common, created, firstAt: enqueuedAt + 2_000, lastAt: now - 1_000 }];
  }
  if (at % 60 === 2) return [id, { ...common, created: 500, interrupted: 'Ctrl-C', line: 501 }];
  const times = { firstAt: enqueuedAt + 2_000, lastAt: enqueuedAt + took, doneAt: enqueuedAt + took };
  if (at % 60 === 3) {
    const created = Math.floor((accepted - rejected) / 3);
    const cancelled = accepted - rejected - created;
    const who = { cancelledAt: enqueuedAt + took / 2, cancelledBy: 'oncall@laptop' };
    return [id, { ...common, ...times, ...who, created, cancelled }];
  }
  return [id, { ...common, ...times, created: accepted - rejected }];
}

/** One request whose jobs wait, a hundred associations each. */
export async function seedQueuedRequest(
  queue: Queue,
  redis: Redis,
  keys: Keys,
  name: string,
  pairs: readonly Pair[],
): Promise<void> {
  const id = 'seeded-queued';
  const jobs = pairs.length / 100;
  const counts = { accepted: pairs.length, jobs, created: 0, rejected: 0, cancelled: 0 };
  await redis.hset(keys.requests + id, { name, via: 'file', enqueuedAt: Date.now(), ...counts });
  await redis.zadd(keys.requestList, Date.now(), id);
  await queue.addBulk(
    Array.from({ length: jobs }, (_, at) => ({
      name: JOB_NAME,
      data: { ...contactsToCompanies, requestId: id, pairs: pairs.slice(at * 100, at * 100 + 100) },
      opts: { jobId: `${id}-${at}` },
    })),
  );
}
