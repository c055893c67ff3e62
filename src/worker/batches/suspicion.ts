/**
 * Suspicion: how many times the batches of a pair are halved, so that it is judged in ever smaller company. Pure.
 */

/** Most inputs of a batch of pairs under so much suspicion. */
export const batchLimit = (maxInputs: number, suspicion: number): number =>
  Math.max(1, Math.floor(maxInputs / 2 ** suspicion));

/** What a failure adds that befell a call of so many, in fine weather: the next one has half of them at the most. */
export const halvingsBelow = (company: number, limit: number): number =>
  1 + Math.ceil(Math.log2(limit / company));

/**
 * What a refusal adds that named nobody, as far as the calls for isolating a batch have led: the next batches are a 16th.
 * Halving alone would spend as many calls on each of ten larger ones (docs/decisions/0016).
 */
export const REFUSED = 4;
