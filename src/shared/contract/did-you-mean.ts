/** Names that are nearly right. Pure. */
import leven from 'leven';

/** The known name that an unknown one probably means: ignored, it would silently get the default instead. */
export function meant(name: string, known: readonly string[]): string | undefined {
  if (name.length < 4) return undefined;
  // a short name has many neighbours: "table" is no label
  const near = (candidate: string) =>
    leven(name.toLowerCase(), candidate.toLowerCase()) <= (candidate.length > 5 ? 2 : 1);
  return known.find(candidate => near(candidate));
}
