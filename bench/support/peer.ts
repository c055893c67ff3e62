/**
 * The interface of a peer: a separate process that takes orders. It enqueues associations, then works until all of them
 * are settled. Each step is timed here, in the peer's process. The peers are in bench/peers, one file each.
 */
import type { Load } from './associations.js';

export type PeerEnv = {
  /** URL of the simulator */
  readonly hubspotUrl: string;
  readonly redisUrl: string;
  /** prefix of all its keys in Redis */
  readonly prefix: string;
  /** empty if the peer needs none */
  readonly postgresUrl: string;
  /** variant of the peer */
  readonly variant: string;
};
/** What the peer reports about the associations of one load; the sum is the number of finished ones. */
export type Settled = { readonly created: number; readonly failed: number };
export type Peer = {
  /** prepares a load, before the clock starts */
  prepare?(load: Load): Promise<void>;
  /** puts the prepared load into its queue; peers without a queue do nothing */
  enqueue?(): Promise<void>;
  /** works until the queue is empty. @param isMore returns true while more is being enqueued */
  settle(isMore: () => boolean): Promise<Settled>;
};

export type Order =
  | { readonly do: 'enqueue'; readonly load: Load }
  | { readonly do: 'settle' }
  /** both steps at the same time */
  | { readonly do: 'atOnce'; readonly load: Load };
export type Enqueued = { readonly ms: number };
export type SettledIn = Settled & { readonly ms: number };

const PEER_ENV = 'BENCH_PEER';
export const peerEnv = (env: PeerEnv): Record<string, string> => ({ [PEER_ENV]: JSON.stringify(env) });

/** Serves orders until the bench disconnects from this process. Any error ends it, and the bench shows its output. */
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
