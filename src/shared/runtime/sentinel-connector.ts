/**
 * Connects to the primary that Sentinels name. ioredis' own connector throws if it is told to disconnect while it asks them, and
 * ioredis then ends the client for ever. That happens in failovers: the connection is lost with the primary, the client asks a
 * Sentinel, and the subscription of the connection before hears of the new primary at that moment and disconnects.
 * Not responsible for reconnecting: ioredis does that.
 */
import { type SentinelConnectionOptions, SentinelConnector } from 'ioredis';
import { lostSocket } from './lost-socket.js';

export class StubbornSentinels extends SentinelConnector {
  /** @param options as ioredis gives them to any connector */
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override connect(
    ...args: Parameters<SentinelConnector['connect']>
  ): ReturnType<SentinelConnector['connect']> {
    return super.connect(...args).catch(lostSocket);
  }
}
