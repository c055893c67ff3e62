/** A Redis Cluster of real processes on this machine, which a test may kill: primaries with a replica each. */
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { RedisServer } from './redis-server.js';

const SLOTS = 16_384;
/** A node that is silent for so long counts as dead. */
const NODE_TIMEOUT_MS = 1_500;

/** Longer than Redis tries it. */
const FAILOVER_MS = 7_000;
/** Keys of a slot that move together. */
const KEYS_AT_ONCE = 50;

export type ClusterNode = { readonly server: RedisServer; readonly redis: Redis; readonly id: string };

export class RedisCluster {
  #nodes: ClusterNode[] = [];

  private constructor(private readonly options: Readonly<Record<string, string>>) {}

  /** @param primaries their number; each has `replicas` replicas @param options of redis-server, for all nodes */
  static async start({
    primaries,
    replicas,
    options = {},
  }: {
    primaries: number;
    replicas: number;
    options?: Readonly<Record<string, string>>;
  }): Promise<RedisCluster> {
    const cluster = new RedisCluster({
      ...{ 'cluster-enabled': 'yes', 'cluster-node-timeout': String(NODE_TIMEOUT_MS) },
      ...{ 'repl-diskless-sync-delay': '0', ...options },
    });
    const count = primaries * (1 + replicas);
    cluster.#nodes = await Promise.all(Array.from({ length: count }, () => cluster.#startNode()));
    const heads = cluster.#nodes.slice(0, primaries);
    await Promise.all(
      heads.map(({ redis }, at) => {
        const [first, next] = [at, at + 1].map(part => Math.floor((part * SLOTS) / primaries)) as [
          number,
          number,
        ];
        return redis.call('CLUSTER', 'ADDSLOTSRANGE', first, next - 1);
      }),
    );
    await Promise.all(
      cluster.#nodes.map(({ redis }, at) => redis.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1)),
    );
    const [first, ...others] = cluster.#nodes as [ClusterNode, ...ClusterNode[]];
    for (const { server } of others) await first.redis.call('CLUSTER', 'MEET', '127.0.0.1', server.port);
    await cluster.#settled(count);
    await Promise.all(
      cluster.#nodes.slice(primaries).map(({ redis }, at) => {
        const head = heads[at % primaries] as ClusterNode;
        return eventually(() => redis.call('CLUSTER', 'REPLICATE', head.id));
      }),
    );
    await cluster.replicated();
    return cluster;
  }

  get nodes(): readonly ClusterNode[] {
    return this.#nodes;
  }

  /** `redis+cluster://` with all nodes */
  get url(): string {
    return `redis+cluster://${this.#nodes.map(({ server }) => `127.0.0.1:${server.port}`).join(',')}`;
  }

  /** @returns the node that has the slot of a key, as most nodes that answer say, and its replicas */
  async ownerOf(key: string): Promise<{ owner: ClusterNode; replicas: readonly ClusterNode[] }> {
    return eventually(async () => {
      const alive = this.#nodes.find(({ redis }) => redis.status === 'ready');
      if (!alive) throw new Error('no node is alive');
      const slot = Number(await alive.redis.cluster('KEYSLOT', key));
      const slots = await alive.redis.cluster('SLOTS');
      const [, , ...entries] = slots.find(([first, last]) => first <= slot && slot <= last) ?? [];
      const [owner, ...replicas] = (entries as readonly [string, number, string][]).map(([, , id]) =>
        this.#byId(id),
      );
      if (!owner) throw new Error('no node has the slot');
      return { owner, replicas };
    });
  }

  /** Resolves when all replicas have what their primaries have, and every node knows that. */
  async replicated(): Promise<void> {
    await this.#settled(this.#nodes.length);
    await Promise.all(
      this.#nodes.map(({ redis }) =>
        eventually(async () => {
          const info = await redis.info('replication');
          if (info.includes('role:slave') && !info.includes('master_link_status:up'))
            throw new Error('the replica is not connected');
        }),
      ),
    );
  }

  /** The primary hands its slots over to one of its replicas. A replica that lags gives up after some time, and is asked again. */
  async failOver(key: string, to: ClusterNode): Promise<void> {
    for (let isDone = false; !isDone; ) {
      await to.redis.call('CLUSTER', 'FAILOVER');
      isDone = await eventually(async () => {
        const { owner } = await this.ownerOf(key);
        if (owner !== to) throw new Error('the replica has not taken over');
        return true;
      }, FAILOVER_MS).catch(() => false);
    }
  }

  /**
   * Moves the slot of a key to another primary, a few keys at a time, as `redis-cli --cluster reshard` does.
   * @param onKeys called after each portion
   */
  async moveSlot(key: string, to: ClusterNode, onKeys: (moved: number) => Promise<void>): Promise<void> {
    const { owner: from } = await this.ownerOf(key);
    const slot = Number(await from.redis.cluster('KEYSLOT', key));
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    for (;;) {
      const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, KEYS_AT_ONCE)) as string[];
      if (keys.length === 0) break;
      await from.redis.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5_000, 'KEYS', ...keys);
      await onKeys(keys.length);
    }
    for (const { redis } of [to, from]) await redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
  }

  /** Starts a node that was killed again; it joins the cluster by itself. */
  async startAgain({ server }: ClusterNode): Promise<void> {
    await server.startAgain(this.options);
  }

  async stop(): Promise<void> {
    for (const { redis } of this.#nodes) redis.disconnect();
    await Promise.all(this.#nodes.map(({ server }) => server.stop()));
  }

  async #startNode(): Promise<ClusterNode> {
    const server = await RedisServer.start(this.options);
    const redis = new Redis(server.url, {
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      disconnectTimeout: 250,
    });
    redis.on('error', () => {});
    const id = String(await eventually(() => redis.call('CLUSTER', 'MYID')));
    return { server, redis, id };
  }

  #byId(id: string): ClusterNode {
    const node = this.#nodes.find(one => one.id === id);
    if (!node) throw new Error(`no node ${id}`);
    return node;
  }

  async #settled(count: number): Promise<void> {
    await Promise.all(
      this.#nodes.map(({ redis }) =>
        eventually(async () => {
          const info = String(await redis.call('CLUSTER', 'INFO'));
          for (const part of ['cluster_state:ok', `cluster_known_nodes:${count}`])
            if (!info.includes(part)) throw new Error(`no ${part} in ${info}`);
        }),
      ),
    );
  }
}
