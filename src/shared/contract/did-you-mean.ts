/** Finds the known name that a misspelt one means. Pure. */
import leven from 'leven';

/** @returns the known name that an unknown one probably means. If the unknown name were ignored, a default would apply silently. */
export function meant(name: string, known: readonly string[]): string | undefined {
  if (name.length < 4) return undefined;
  // short names are similar to many words: "table" does not mean "label"
  const near = (candidate: string) =>
    leven(name.toLowerCase(), candidate.toLowerCase()) <= (candidate.length > 5 ? 2 : 1);
  return known.find(candidate => near(candidate));
}
