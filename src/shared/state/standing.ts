/** The standing of a replica in the row of those that may have a place, as places.lua computes it. Pure. */

/** keep: a replica's turn stays · last: it goes to the end of the row · leave: it may have no place any more */
export type Turn = 'keep' | 'last' | 'leave';

export type Standing = {
  /** 1: the first of the living replicas; 0: behind the reserve, or it may have no place */
  readonly rank: number;
  /** number of places */
  readonly places: number;
  /** number of replicas that fetch, those of a version without places included */
  readonly working: number;
};

/** What places.lua returns. */
export type StandingReply = readonly [rank: number, places: number, working: number];
export const standingOf = ([rank, places, working]: StandingReply): Standing => ({ rank, places, working });

export const hasPlace = ({ rank, places }: Standing): boolean => rank >= 1 && rank <= places;
/** The first replica without a place: it steps in at once. */
export const isReserve = ({ rank, places }: Standing): boolean => rank === places + 1;
