/** What the files of ask/ bring back, and those of judge/ judge. Types only. */
import type { ServerFacts } from '../shared/runtime/redis-facts.js';

/** What Redis says about itself. */
export type RedisFacts = {
  /** why it refuses writes; '' = it accepts them */
  readonly refusal: string;
  /** what kind of Redis it is; undefined: an ACL or the provider forbids the question */
  readonly server: ServerFacts | undefined;
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
