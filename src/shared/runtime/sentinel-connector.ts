/**
 * Finds the primary through Sentinels and connects to it, as ioredis does, without two faults of its connector:
 *  1. ioredis hears of failovers over a connection to each Sentinel, and has no listener for the errors of these connections:
 *     while a Sentinel is away, every process would print a stack trace a second.
 *  2. Its connector throws if it is told to disconnect while it asks the Sentinels, and ioredis then ends the client for ever.
 *     That happens in failovers: the connection is lost with the primary, the client asks a Sentinel, and the subscription of
 *     the connection before hears of the new primary at that moment and disconnects.
 * Not responsible for reconnecting: ioredis does that.
 */
import { type AbstractConnector, type Redis, SentinelConnector } from 'ioredis';
import { lostSocket } from './lost-socket.js';

type Connector = new (options: unknown) => AbstractConnector;
/** `connectToSentinel` is private in ioredis: test/engines/sentinel-login.test.ts fails if it goes. */
type Open = new (
  options: unknown,
) => {
  firstError?: Error;
  readonly connecting: boolean;
  connect(...args: Parameters<SentinelConnector['connect']>): ReturnType<SentinelConnector['connect']>;
  connectToSentinel(endpoint: unknown, options?: object): Redis;
};

class Mended extends (SentinelConnector as unknown as Open) {
  override connectToSentinel(endpoint: unknown, options: object = {}): Redis {
    const client = super.connectToSentinel(endpoint, { ...options, disableClientInfo: true });
    client.on('error', () => {});
    return client;
  }

  override connect(
    ...args: Parameters<SentinelConnector['connect']>
  ): ReturnType<SentinelConnector['connect']> {
    return super.connect(...args).catch((error: Error) => {
      if (this.connecting) this.firstError = error; // no Sentinel leads to a primary: ioredis reports it
      return lostSocket();
    });
  }
}

/** An option of ioredis. */
export const MendedSentinels = Mended as unknown as Connector;
