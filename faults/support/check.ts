/** The figures of one run of a scenario, each with whether it holds. */
export type Figure = { readonly what: string; readonly value: string; readonly holds: boolean };
export type Result = { readonly figures: readonly Figure[]; readonly holds: boolean };

/** Collects the figures of one scenario. A figure that does not hold fails the scenario; the run goes on. */
export class Check {
  readonly figures: Figure[] = [];

  /** @param value as shown, with its unit */
  must(what: string, value: string | number, holds: boolean): void {
    this.figures.push({ what, value: typeof value === 'number' ? grouped(value) : value, holds });
  }

  get result(): Result {
    return { figures: this.figures, holds: this.figures.every(({ holds }) => holds) };
  }
}

/** 1234567 → 1,234,567 */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
