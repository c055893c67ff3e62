/**
 * Connects a plain client to a Redis Cluster: to the node that has our keys. All keys of an installation share a hash tag and so
 * a slot, and one node has it (docs/decisions/0056). Before each connection it asks the nodes which one that is.
 * Not responsible for reconnecting: ioredis does that, and openRedis makes it reconnect when a node says that the keys are
 * elsewhere.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { messageOf, withoutAddresses } from '../contract/errors.js';
import { lostSocket } from './lost-socket.js';
import type { Node } from './redis-url.js';

/** Longest time to connect to a node that is asked, and longest wait for its answer. */
const ASK_MS = 2_000;
const GOODBYE_MS = 250;

type Connector = new (options: unknown) => AbstractConnector;

/**
 * @param seeds nodes that are asked first; the others are learned
 * @param key any text with the hash tag of our keys
 * @returns an option of ioredis
 */
export function clusterConnector(seeds: readonly Node[], key: string): Connector {
  /** the node that answered last comes first, and one that did not answer goes to the end */
  let known: readonly Node[] = seeds;

  async function ownerOfKeys(options: RedisOptions): Promise<Node> {
    const failures: unknown[] = [];
    for (const node of known) {
      try {
        const [slot, slots] = await askNode(node, options, key);
        const { owner, all } = readSlots(slots, Number(slot), node);
        known = union([node], all, seeds);
        return owner;
      } catch (error) {
        failures.push(error);
        known = [...known.filter(other => other !== node), node];
      }
    }
    throw clusterFailure(failures);
  }

  return class extends AbstractConnector {
    static readonly leadsToCluster = true;
    readonly #options: RedisOptions;

    constructor(options: unknown) {
      super((options as RedisOptions).disconnectTimeout ?? GOODBYE_MS);
      this.#options = options as RedisOptions;
    }

    async connect(): Promise<Socket | TLSSocket> {
      this.connecting = true;
      try {
        const owner = await ownerOfKeys(this.#options);
        if (!this.connecting) return lostSocket();
        const stream = this.#options.tls ? connectTls({ ...owner, ...this.#options.tls }) : connect(owner);
        stream.once('error', error => {
          this.firstError = error;
        });
        this.stream = stream;
        return stream;
      } catch (error) {
        this.firstError = error as Error;
        return lostSocket();
      }
    }
  };
}

/** @returns true if a client with these options is made for a Redis Cluster. (Sentinels have a connector as well.) */
export const leadsToCluster = ({ Connector }: RedisOptions): boolean =>
  Connector !== undefined && 'leadsToCluster' in Connector;

/** @returns the replies of CLUSTER KEYSLOT and CLUSTER SLOTS */
async function askNode(
  node: Node,
  { username, password, tls }: RedisOptions,
  key: string,
): Promise<readonly [unknown, unknown]> {
  let reason: unknown;
  const redis = new Redis({
    ...node,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    lazyConnect: true,
    connectionName: 'association-queue',
    disableClientInfo: true,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: ASK_MS,
    commandTimeout: ASK_MS,
    disconnectTimeout: GOODBYE_MS,
  });
  redis.on('error', error => {
    reason = error;
  });
  try {
    await redis.connect();
    return await Promise.all([redis.cluster('KEYSLOT', key), redis.cluster('SLOTS')]);
  } catch (error) {
    throw reason ?? error; // ioredis rejects with "Connection is closed."; an event had the reason
  } finally {
    if (redis.status !== 'end') redis.disconnect();
  }
}

/**
 * Pure.
 * @param reply of CLUSTER SLOTS: [first slot, last slot, [host, port, …] of the owner, [host, port, …] of a replica …] …
 * @param asked stands for a node whose host the cluster does not know
 * @throws NoOwner
 */
export function readSlots(reply: unknown, slot: number, asked: Node): { owner: Node; all: readonly Node[] } {
  const ranges = Array.isArray(reply) ? (reply as readonly [number, number, ...Entry[]][]) : [];
  const nodeOf = ([host, port]: Entry): Node => ({
    host: host && host !== '?' ? host : asked.host,
    port: Number(port),
  });
  const owner = ranges.find(([first, last]) => first <= slot && slot <= last)?.[2];
  if (!owner) throw new NoOwner(`CLUSTERDOWN no node of the cluster has the slot of our keys (${slot})`);
  return { owner: nodeOf(owner), all: ranges.flatMap(([, , ...entries]) => entries.map(nodeOf)) };
}
class NoOwner extends Error {}
type Entry = readonly [host: string | null, port: number, ...unknown[]];

function union(...lists: readonly (readonly Node[])[]): readonly Node[] {
  const nodes = new Map<string, Node>();
  for (const node of lists.flat()) {
    const name = `${node.host}:${node.port}`;
    if (!nodes.has(name)) nodes.set(name, node);
  }
  return [...nodes.values()];
}

/** What a node has replied says more than that others are unreachable. */
function clusterFailure(failures: readonly unknown[]): Error {
  const reply = failures.find(
    error => error instanceof NoOwner || (error instanceof Error && error.name === 'ReplyError'),
  );
  if (reply) return new Error(messageOf(reply));
  const reasons = new Set(failures.map(error => withoutAddresses(messageOf(error)))); // REDIS_URL says the places
  return new Error(`no node of the cluster answers: ${[...reasons].join(', ')}`);
}
