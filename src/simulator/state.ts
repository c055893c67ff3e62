/** The state of one simulator, which its parts share. No logic. */
import { TypeLists } from './batch.js';
import { FaultScript } from './faults.js';
import { Ledger } from './ledger.js';
import { Limits } from './limits.js';
import { LoopDelay } from './loop-delay.js';
import { checkOptions, DEFAULT_OPTIONS, type SimulatorOptions } from './options.js';
import { type Random, seededRandom } from './random.js';

export class SimulatorState {
  readonly lists = new TypeLists();
  readonly ledger = new Ledger(this.lists);
  readonly limits = new Limits();
  readonly faults = new FaultScript();
  readonly loopDelay = new LoopDelay();
  options: SimulatorOptions = DEFAULT_OPTIONS;
  missing: ReadonlySet<string> = new Set();
  random: Random = seededRandom(DEFAULT_OPTIONS.seed);

  /** @throws ConfigError with every problem, and changes nothing in that case */
  setOptions(given: unknown): void {
    const changes = checkOptions(given);
    this.options = { ...this.options, ...changes };
    if (changes.missing) this.missing = new Set(changes.missing);
    if (changes.seed !== undefined) this.random = seededRandom(changes.seed);
  }

  /** Clears everything but the options. */
  reset(): void {
    this.ledger.reset();
    this.limits.reset();
    this.faults.clear();
    this.random = seededRandom(this.options.seed);
  }
}

/** Epoch ms with fractions: the clock of arrivals and of the limits. */
export const nowMs = (): number => performance.timeOrigin + performance.now();
