/**
 * Computes the account's limits from the reports of all living replicas: the smallest apply as long as a replica is
 * configured with them. Logs once when the replicas differ, and once when they agree again.
 */

import type { Logger } from '../../shared/runtime/logger.js';
import type { Limits } from '../../shared/state/capacity.js';
import {
  type AccountLimits,
  accountLimits,
  limitsDiffer,
  smallestLimits,
} from '../../shared/state/smallest-limits.js';
import type { WorkerReport } from '../../shared/state/worker-reports.js';

export class CommonLimits {
  #effective: Limits;
  #said = '';

  /** @param apply called with the limits in force whenever they may have changed */
  constructor(
    private readonly own: Limits,
    private readonly apply: (limits: AccountLimits) => void,
    private readonly logger: Logger,
  ) {
    this.#effective = own;
  }

  /** The limits in force, with this replica's other limits. */
  get effective(): Limits {
    return this.#effective;
  }

  /** @param alive all replicas including this one; replicas of an earlier version do not report limits */
  learn(alive: readonly WorkerReport[]): void {
    const replicas = [...alive]
      .sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
      .flatMap(({ id, host, limits }) => (limits ? [{ name: `${id} on ${host}`, limits }] : []));
    const all = replicas.map(({ limits }) => limits);
    const smallest = smallestLimits(accountLimits(this.own), all);
    this.#effective = { ...this.own, ...smallest };
    this.apply(smallest);
    this.#say(limitsDiffer(replicas, smallest));
  }

  #say(difference: string): void {
    if (difference === this.#said) return;
    this.#said = difference;
    if (difference) this.logger.warn({ event: 'limits' }, difference);
    else this.logger.info({ event: 'limits' }, 'all replicas are configured with the same limits again');
  }
}
