/** Reads the Prefer header (RFC 7240). Ignores unknown preferences, as the RFC says. Pure. */

export const MAX_WAIT_SECONDS = 60;

export type Preference = {
  /** 202 instead of 201 while the request is pending */
  readonly respondAsync: boolean;
  /** how long to wait for the outcome; 0 = not at all */
  readonly waitSeconds: number;
};

const NONE: Preference = { respondAsync: false, waitSeconds: 0 };

export function parsePrefer(header: string | readonly string[] | undefined): Preference {
  if (header === undefined) return NONE;
  const preferences = [header]
    .flat()
    .join(',')
    .split(',')
    .map(text => text.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  // the first of several counts
  const wait = preferences.map(text => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(text)?.[1]).find(Boolean);
  return {
    respondAsync: preferences.includes('respond-async'),
    waitSeconds: Math.min(Number(wait ?? 0), MAX_WAIT_SECONDS),
  };
}

/** The Preference-Applied header; undefined if there was no preference. */
export function preferenceApplied({ respondAsync, waitSeconds }: Preference): string | undefined {
  const applied = [
    ...(respondAsync ? ['respond-async'] : []),
    ...(waitSeconds > 0 ? [`wait=${waitSeconds}`] : []),
  ];
  return applied.length > 0 ? applied.join(', ') : undefined;
}
