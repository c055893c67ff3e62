/**
 * Exit codes of the commands that people build scripts on: `enqueue`, `requests wait`, `enqueue --wait`.
 * 0: all of it · 1: some of it was refused, rejected or cancelled · 2: the call is wrong, and nothing was done (cli.ts).
 */

/** It is not over: somebody has interrupted it, the time is up, or Redis or HubSpot is away. The same may go on later. */
export const NOT_OVER = 3;
