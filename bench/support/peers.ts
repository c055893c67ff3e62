/** The peers: their names, files and requirements, and how to start a process of each. */
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { Load } from './associations.js';
import { newPrefix, removeKeys } from './keys.js';
import { type Enqueued, type Order, peerEnv, type SettledIn } from './peer.js';
import { startForked } from './processes.js';

export type PeerName =
  | 'bare-axios'
  | 'hubspot-sdk'
  | 'hubspot-sdk-unlimited'
  | 'bullmq-single'
  | 'bullmq-batches'
  | 'pg-boss';

type About = {
  readonly title: string;
  readonly file: string;
  readonly variant?: string;
  readonly needsPostgres?: boolean;
};
export const PEERS: Readonly<Record<PeerName, About>> = {
  'bare-axios': { title: 'bare axios loop', file: 'bare-axios' },
  'hubspot-sdk': { title: "HubSpot's SDK, its default limiter", file: 'hubspot-sdk', variant: 'default' },
  'hubspot-sdk-unlimited': {
    title: "HubSpot's SDK, 10 calls at once",
    file: 'hubspot-sdk',
    variant: 'unlimited',
  },
  'bullmq-single': { title: 'BullMQ, a call for each job', file: 'bullmq-single' },
  'bullmq-batches': { title: 'BullMQ, batches by hand', file: 'bullmq-batches' },
  'pg-boss': { title: 'pg-boss, batches of 2,000', file: 'pg-boss', needsPostgres: true },
};

export type PeerProcess = {
  readonly name: PeerName;
  readonly title: string;
  enqueue(load: Load): Promise<Enqueued>;
  settle(): Promise<SettledIn>;
  atOnce(load: Load): Promise<SettledIn>;
  stop(): Promise<void>;
};
/** The addresses of the services that a peer uses. */
export type Surroundings = {
  readonly hubspotUrl: string;
  readonly redisUrl: string;
  /** undefined: there is no PostgreSQL, and peers that need it are left out */
  readonly postgresUrl: string | undefined;
};

/** Starts the peers whose requirements are met. */
export function startPeers(names: readonly PeerName[], surroundings: Surroundings): PeerProcess[] {
  return names
    .filter(name => !PEERS[name].needsPostgres || surroundings.postgresUrl !== undefined)
    .map(name => startPeer(name, surroundings));
}

function startPeer(name: PeerName, { hubspotUrl, redisUrl, postgresUrl = '' }: Surroundings): PeerProcess {
  const { title, file, variant = '' } = PEERS[name];
  const prefix = newPrefix();
  const module = fileURLToPath(new URL(`../peers/${file}.js`, import.meta.url));
  const child = startForked(module, peerEnv({ hubspotUrl, redisUrl, postgresUrl, prefix, variant }));
  const ask = <Answer>(order: Order) => child.ask<Answer>(order);
  return {
    name,
    title,
    enqueue: load => ask<Enqueued>({ do: 'enqueue', load }),
    settle: () => ask<SettledIn>({ do: 'settle' }),
    atOnce: load => ask<SettledIn>({ do: 'atOnce', load }),
    async stop() {
      await child.stop();
      const redis = new Redis(redisUrl);
      await removeKeys(redis, prefix);
      redis.disconnect();
    },
  };
}

/** Peers for the time of `use`. */
export async function withPeers<T>(
  names: readonly PeerName[],
  surroundings: Surroundings,
  use: (peers: readonly PeerProcess[]) => Promise<T>,
): Promise<T> {
  const peers = startPeers(names, surroundings);
  try {
    return await use(peers);
  } finally {
    for (const peer of peers) await peer.stop();
  }
}
