/** What the files of ask/ bring back, and those of judge/ judge. Types only. */

/** What Redis says about itself. */
export type RedisFacts = {
  /** why it refuses writes; '' = it accepts them */
  readonly refusal: string;
  /** fields of INFO; undefined: an ACL or the provider forbids the command */
  readonly info: ReadonlyMap<string, string> | undefined;
  /** the rules for snapshots, such as `3600 1`; '' = none; undefined: forbidden */
  readonly save: string | undefined;
  /** times of some round trips, ms */
  readonly latencyMs: readonly number[];
  /** Redis' clock minus ours, ms; positive: Redis is ahead */
  readonly clockAheadMs: number;
};

/** `data` is JSON; null: it is larger than a megabyte */
export type SampledJob = { readonly id: string; readonly data: string | null };

/** An attempt to connect to the host of a URL. */
export type Connection = {
  /** host and port; the path may be a secret */
  readonly place: string;
  readonly tls: boolean;
  readonly ms: number;
  /** undefined: it opened */
  readonly problem?: string;
};
