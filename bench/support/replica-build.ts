/** What the bench and a process with replicas (replica-host.ts) tell each other. */

/** Environment variable: directory of the build whose replicas run. */
export const BUILD = 'BENCH_BUILD';

export type HostOrder = { readonly do: 'start'; readonly replicas: number } | { readonly do: 'count' };
/** commands that the replicas of this process have sent to Redis */
export type HostAnswer = { readonly commands: number };
