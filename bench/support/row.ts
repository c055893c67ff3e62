/** The rows of a question's result, and the summary of their values. Pure. */

/** One figure: its value in every round. */
export type Row = {
  readonly what: string;
  readonly unit: string;
  /** one value per round; for samples (latency) one per sample; none = skipped, and `what` gives the reason */
  readonly values: readonly number[];
  readonly goal?: Goal;
  /** also shown by --quick, at its end */
  readonly main?: boolean;
};
/** The goal for the summary of the values: their median, unless `of` says otherwise. */
export type Goal = { readonly at: 'least' | 'most'; readonly value: number };

export type Options = {
  readonly redisUrl: string;
  /** smaller numbers and fewer rounds: the main ratios within 90 s */
  readonly quick: boolean;
  /** directory for CPU profiles of the worker processes */
  readonly profileDir: string | undefined;
  readonly say: (line: string) => void;
};
/** Takes rows as soon as they are complete, so that rows before a failure are not lost. */
export type Answer = (...rows: readonly Row[]) => void;
export type Question = {
  readonly title: string;
  /** seconds that it takes on two quiet cores, for the plan that is shown first */
  readonly seconds: { readonly full: number; readonly quick: number };
  /** how it was measured: one paragraph for RESULTS.md */
  readonly method: (options: Options) => string;
  readonly run: (options: Options, answer: Answer) => Promise<void>;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Interpolates linearly; NaN for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}

/** Compares values of the same round, which were measured one after the other. */
export const ratios = (ones: readonly number[], others: readonly number[]): number[] =>
  ones.map((one, round) => one / (others[round] ?? Number.NaN));

export function isReached({ values, goal }: Row): boolean | undefined {
  if (!goal || values.length === 0) return undefined;
  const value = median(values);
  return goal.at === 'least' ? value >= goal.value : value <= goal.value;
}
