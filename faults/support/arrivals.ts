/** Associations that arrive at a steady rate, whatever happens to them. */

import type { JobData } from '../../src/shared/contract/association.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { type FaultRig, goodPairs } from './rig.js';

const EVERY_MS = 250;

export type Arrivals = {
  /** associations so far */
  readonly enqueued: number;
  /** waits until this many milliseconds have passed since the start */
  reaches(ms: number): Promise<void>;
  stop(): void;
  readonly done: Promise<void>;
};

/** @param perSecond in jobs of 500, or smaller ones */
export function enqueueSteadily(
  rig: FaultRig,
  perSecond: number,
  forMs: number,
  first = 100_000_001,
  data: Partial<JobData> = {},
): Arrivals {
  const ending = new AbortController();
  const since = performance.now();
  const elapsed = () => performance.now() - since;
  let enqueued = 0;
  const done = (async () => {
    while (elapsed() < forMs && !ending.signal.aborted) {
      const due = Math.floor((elapsed() / 1_000) * perSecond) - enqueued;
      if (due > 0) await rig.enqueue(goodPairs(due, first + enqueued), 500, data);
      enqueued += Math.max(0, due);
      await sleep(EVERY_MS, ending.signal);
    }
  })();
  return {
    get enqueued() {
      return enqueued;
    },
    reaches: ms => sleep(ms - elapsed(), ending.signal),
    stop: () => ending.abort(),
    done,
  };
}
