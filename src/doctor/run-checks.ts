/**
 * Runs the checks side by side. Each has a bound in time, and one that breaks becomes a fault of its own, so that the others
 * are reported all the same.
 */
import { messageOf } from '../shared/contract/errors.js';
import { redisReason } from '../shared/runtime/redis.js';
import { settlesWithin } from '../shared/runtime/wait.js';
import { type Finding, fault, type Reported } from './finding.js';
import { withoutSecrets } from './secrets.js';

export type Check = {
  readonly name: string;
  /** asks for its facts and judges them */
  readonly find: () => Promise<readonly Finding[]>;
};

/** @param boundMs longest time of a check @returns the findings in the order of the checks, without secrets */
export async function runChecks(
  checks: readonly Check[],
  boundMs: number,
  secrets: readonly string[],
): Promise<Reported[]> {
  const found = await Promise.all(checks.map(check => findingsOf(check, boundMs)));
  return found.flatMap((findings, at) =>
    findings.map(({ status, message, remedy }) => ({
      check: checks[at]?.name ?? '',
      status,
      message: withoutSecrets(message, secrets),
      ...(remedy !== undefined && { remedy: withoutSecrets(remedy, secrets) }),
    })),
  );
}

async function findingsOf({ find }: Check, boundMs: number): Promise<readonly Finding[]> {
  // a check that throws before its first await must not stop the others either
  const work = Promise.resolve().then(find);
  try {
    if (await settlesWithin(work, boundMs)) return await work;
    work.catch(() => {}); // it may fail later, when nobody waits for it any more
    return [
      fault(`no result within ${boundMs / 1_000} s`, 'run doctor again; if it stays, look at the network'),
    ];
  } catch (error) {
    const reason = redisReason(error) || messageOf(error);
    return [fault(`could not be checked: ${reason}`, 'see the other lines: they may say why')];
  }
}
