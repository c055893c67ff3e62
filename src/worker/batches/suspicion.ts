/**
 * Suspicion: how many times the batches of a pair are halved, so that it is sent with fewer and fewer others. Pure.
 */

/** @returns the most inputs of a batch of pairs with this suspicion */
export const batchLimit = (maxInputs: number, suspicion: number): number =>
  Math.max(1, Math.floor(maxInputs / 2 ** suspicion));

/** @returns what a failed call with this many inputs adds in fine weather: the next batch has at most half of them */
export const halvingsBelow = (company: number, limit: number): number =>
  1 + Math.ceil(Math.log2(limit / company));

/**
 * What a refusal without names adds when the calls for isolation are used up: the next batches are a 16th. Halving alone
 * would spend as many calls on each of ten larger batches (docs/decisions/0017).
 */
export const REFUSED = 4;
