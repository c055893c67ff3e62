/** What a scenario is: a fault, how it is made, what must hold, and a run that measures whether it holds. */
import type { Check } from './check.js';
import type { FaultRig, RigOptions } from './rig.js';

/** A fault of the table in docs/faults.md. */
export type Fault = {
  /** short and unique; `npm run faults -- NAME` runs it */
  readonly name: string;
  readonly fault: string;
  /** how it is made */
  readonly how: string;
  readonly must: string;
  /** test files that show it in `npm test` */
  readonly tests: readonly string[];
};

/** A fault that `npm run faults` makes. */
export type Scenario = Fault & {
  /** about how long it takes, seconds */
  readonly seconds: number;
  readonly rig?: RigOptions;
  run(rig: FaultRig, check: Check): Promise<void>;
};
