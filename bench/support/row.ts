/** What a question answers with, and how figures are summed up. Pure. */

/** One figure: its value in every round. */
export type Row = {
  readonly what: string;
  readonly unit: string;
  /** one per round; for samples (latency) one per sample; none = it was skipped, `what` says why */
  readonly values: readonly number[];
  readonly goal?: Goal;
  /** shown by --quick as well, at its end */
  readonly main?: boolean;
};
/** Holds for the summary of the values: their median, unless `of` says otherwise. */
export type Goal = { readonly at: 'least' | 'most'; readonly value: number };

export type Options = {
  readonly redisUrl: string;
  /** smaller numbers and fewer rounds: the main ratios within 90 s */
  readonly quick: boolean;
  /** directory for CPU profiles of the worker processes */
  readonly profileDir: string | undefined;
  readonly say: (line: string) => void;
};
/** Takes rows as soon as they are complete: what was measured before a failure is not lost. */
export type Answer = (...rows: readonly Row[]) => void;
export type Question = {
  readonly title: string;
  /** how long it takes on two quiet cores, seconds: for the plan that is shown before */
  readonly seconds: { readonly full: number; readonly quick: number };
  /** how it was measured: one paragraph for RESULTS.md */
  readonly method: (options: Options) => string;
  readonly run: (options: Options, answer: Answer) => Promise<void>;
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Linear between neighbours; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}

/** Round by round: what was measured one after the other is compared with each other. */
export const ratios = (ones: readonly number[], others: readonly number[]): number[] =>
  ones.map((one, round) => one / (others[round] ?? Number.NaN));

export function isReached({ values, goal }: Row): boolean | undefined {
  if (!goal || values.length === 0) return undefined;
  const value = median(values);
  return goal.at === 'least' ? value >= goal.value : value <= goal.value;
}
