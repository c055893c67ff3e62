/** A scenario: a fault, how it is injected, what must hold, and a run that measures whether it holds. */
import type { Check } from './check.js';
import type { FaultRig, RigOptions } from './rig.js';

/** A fault of the table in docs/design/faults.md. */
export type Fault = {
  /** short and unique; `npm run faults -- NAME` runs it */
  readonly name: string;
  readonly fault: string;
  /** how it is injected */
  readonly how: string;
  readonly must: string;
  /** test files that check it in `npm test` */
  readonly tests: readonly string[];
};

/** A fault that `npm run faults` injects. */
export type Scenario = Fault & {
  /** approximate duration, seconds */
  readonly seconds: number;
  readonly rig?: RigOptions;
  run(rig: FaultRig, check: Check): Promise<void>;
};
