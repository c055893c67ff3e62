/** Replicas in few processes (replica-host.ts). The first replica has a process of its own, so that it can be killed. */
import { fileURLToPath } from 'node:url';
import { type Forked, startForked } from './processes.js';
import { BUILD, type HostAnswer, type HostOrder } from './replica-build.js';

const REPLICAS_PER_PROCESS = 10;

export type ReplicaPlace = {
  /** directory of the build */
  readonly build: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly hubspotUrl: string;
};

export class ReplicaHosts {
  private constructor(private readonly hosts: Forked[]) {}

  /** Resolves when all replicas have started, the first one first. */
  static async start(replicas: number, place: ReplicaPlace): Promise<ReplicaHosts> {
    const env = {
      [BUILD]: place.build,
      REDIS_URL: place.redisUrl,
      QUEUE_PREFIX: place.prefix,
      HUBSPOT_BASE_URL: place.hubspotUrl,
      HUBSPOT_ACCESS_TOKEN: 'pat-bench',
      METRICS_PORT: '0',
    };
    const module = fileURLToPath(new URL('./replica-host.js', import.meta.url));
    const hosts: Forked[] = [];
    for (let left = replicas; left > 0; ) {
      const count = hosts.length === 0 ? 1 : Math.min(REPLICAS_PER_PROCESS, left);
      const host = startForked(module, env);
      hosts.push(host);
      await host.ask<HostAnswer>({ do: 'start', replicas: count } satisfies HostOrder);
      left -= count;
    }
    return new ReplicaHosts(hosts);
  }

  /** Commands that all replicas have sent so far. */
  async commands(): Promise<number> {
    const answers = await Promise.all(
      this.hosts.map(host => host.ask<HostAnswer>({ do: 'count' } satisfies HostOrder)),
    );
    return answers.reduce((sum, { commands }) => sum + commands, 0);
  }

  /** kill -9 of the replica that started first. */
  killFirst(): void {
    this.hosts.shift()?.kill();
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map(host => host.stop()));
  }
}
