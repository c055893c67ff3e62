/**
 * Asks a Redis what kind it is. Neither INFO nor CONFIG is demanded: an ACL or a provider may forbid them. After a refusal
 * the asker is silent until the connection is a new one, because each refused command is an entry in Redis' ACL log.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../contract/errors.js';
import { leadsToCluster } from './cluster-connector.js';
import { factsOf, type ServerFacts } from './redis-facts.js';

export class RedisAsker {
  readonly #refused = new Set<'info' | 'config'>();

  constructor(private readonly redis: Redis) {
    redis.on('ready', () => this.#refused.clear());
  }

  /** @returns undefined if Redis does not tell @throws Error if there is no answer */
  async facts(): Promise<ServerFacts | undefined> {
    const info = await this.#permitted('info', () => this.redis.info());
    if (info === '') this.#refused.add('info'); // ready-check.ts
    if (!info) return undefined;
    const isCluster = leadsToCluster(this.redis.options);
    const facts = factsOf(info, undefined, isCluster);
    // INFO tells what an append-only file is for; the rules for snapshots matter without one
    return facts.persistence === 'aof' ? facts : factsOf(info, await this.#save(), isCluster);
  }

  async #save(): Promise<string | undefined> {
    const reply = await this.#permitted('config', () => this.redis.config('GET', 'save') as Promise<unknown>);
    return Array.isArray(reply) && typeof reply[1] === 'string' ? reply[1] : undefined;
  }

  async #permitted<T>(command: 'info' | 'config', ask: () => Promise<T>): Promise<T | undefined> {
    if (this.#refused.has(command)) return undefined;
    try {
      return await ask();
    } catch (error) {
      if (!isForbidden(error)) throw error;
      this.#refused.add(command);
      return undefined;
    }
  }
}

/** @returns true if Redis or its provider forbids the command */
const isForbidden = (error: unknown): boolean =>
  /NOPERM|unknown command|unknown subcommand|not allowed|disabled/i.test(messageOf(error));
