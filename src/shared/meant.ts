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

/** What says of an association what it is; without any of them it gets HubSpot's default. */
const SAYS_WHAT = ['types', 'label'];

/** Why an association that says nothing of its types probably meant to: `type: did you mean types?` */
export function misspeltField(association: object): string | undefined {
  for (const name of Object.keys(association)) {
    const field = SAYS_WHAT.includes(name) ? undefined : meant(name, SAYS_WHAT);
    if (field !== undefined) return `${name}: did you mean ${field}?`;
  }
  return undefined;
}
