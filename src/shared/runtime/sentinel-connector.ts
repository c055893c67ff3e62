/**
 * Finds the primary through Sentinels, as ioredis does. ioredis hears of failovers over a connection to each Sentinel, and has no
 * listener for the errors of these connections: while a Sentinel is away, every process would print a stack trace a second.
 * Not responsible for the primary's connection: its errors say when no Sentinel answers.
 */
import { type AbstractConnector, type Redis, SentinelConnector } from 'ioredis';

type Connector = new (options: unknown) => AbstractConnector;
/** `connectToSentinel` is private in ioredis: test/engines/sentinel-login.test.ts fails if it goes. */
type Open = new (options: unknown) => { connectToSentinel(endpoint: unknown, options?: object): Redis };

class Quiet extends (SentinelConnector as unknown as Open) {
  override connectToSentinel(endpoint: unknown, options: object = {}): Redis {
    const client = super.connectToSentinel(endpoint, { ...options, disableClientInfo: true });
    client.on('error', () => {});
    return client;
  }
}

/** An option of ioredis. */
export const QuietSentinels = Quiet as unknown as Connector;
