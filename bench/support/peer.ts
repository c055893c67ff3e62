/**
 * What a peer is to the bench: a process of its own that takes orders. It enqueues associations, then works until all of
 * them are settled; each step is timed here, in the peer's process. The peers are in bench/peers, one file each.
 */
import type { Load } from './associations.js';

export type PeerEnv = {
  /** the simulator */
  readonly hubspotUrl: string;
  readonly redisUrl: string;
  /** of all its keys in Redis */
  readonly prefix: string;
  /** empty where the peer needs none */
  readonly postgresUrl: string;
  /** one of the peer's own ways to be run */
  readonly variant: string;
};
/** What the peer believes of the associations of one load: their sum is what it has given an end. */
export type Settled = { readonly created: number; readonly failed: number };
export type Peer = {
  /** out of the clock, before each load: whatever exists before it is enqueued */
  prepare?(load: Load): Promise<void>;
  /** puts what was prepared into its queue; peers without one have nothing to do */
  enqueue?(): Promise<void>;
  /** works off what is enqueued, until there is no more. @param isMore whether more is still being enqueued */
  settle(isMore: () => boolean): Promise<Settled>;
};

export type Order =
  | { readonly do: 'enqueue'; readonly load: Load }
  | { readonly do: 'settle' }
  /** both at the same time */
  | { readonly do: 'atOnce'; readonly load: Load };
export type Enqueued = { readonly ms: number };
export type SettledIn = Settled & { readonly ms: number };

const PEER_ENV = 'BENCH_PEER';
export const peerEnv = (env: PeerEnv): Record<string, string> => ({ [PEER_ENV]: JSON.stringify(env) });

/** Serves orders until the bench lets go of this process. Whatever goes wrong ends it; the bench shows its output. */
export async function serve(connect: (env: PeerEnv) => Peer | Promise<Peer>): Promise<void> {
  process.on('unhandledRejection', fail);
  process.on('disconnect', () => process.exit(0));
  try {
    const peer = await connect(JSON.parse(process.env[PEER_ENV] ?? '') as PeerEnv);
    process.on('message', (order: Order) => void obey(peer, order).then(send, fail));
  } catch (error) {
    fail(error);
  }
}

async function obey(peer: Peer, order: Order): Promise<Enqueued | SettledIn> {
  if (order.do !== 'settle') await peer.prepare?.(order.load);
  const since = performance.now();
  const ms = () => performance.now() - since;
  if (order.do === 'enqueue') {
    await peer.enqueue?.();
    return { ms: ms() };
  }
  let isMore = order.do === 'atOnce';
  const enqueued = isMore ? peer.enqueue?.() : undefined;
  void Promise.resolve(enqueued).then(() => {
    isMore = false;
  });
  const [settled] = await Promise.all([peer.settle(() => isMore), enqueued]);
  return { ...settled, ms: ms() };
}

const send = (answer: object): void => void process.send?.(answer);

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}
