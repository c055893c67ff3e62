/** A primary with one replica, which a test may stop and go on with: real processes, without Sentinels. */
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { RedisServer } from './redis-server.js';

export class Replicated {
  private constructor(
    readonly primary: RedisServer,
    readonly replica: RedisServer,
  ) {}

  static async start(): Promise<Replicated> {
    const primary = await RedisServer.start();
    const replica = await RedisServer.start({
      replicaof: `127.0.0.1 ${primary.port}`,
      'repl-diskless-sync-delay': '0',
    });
    const both = new Replicated(primary, replica);
    await both.caughtUp();
    return both;
  }

  get url(): string {
    return this.primary.url;
  }

  /** Resolves when the replica has all that the primary has now. */
  async caughtUp(): Promise<void> {
    const redis = new Redis(this.url);
    try {
      await eventually(async () => {
        await redis.set('caught-up', Date.now());
        if ((await redis.wait(1, 200)) < 1) throw new Error('the replica has not caught up');
      });
      await redis.del('caught-up');
    } finally {
      redis.disconnect();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.primary.stop(), this.replica.stop()]);
  }
}
