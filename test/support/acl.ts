/** The user that docs/operations/redis.md gives the product, so that page and tests cannot differ. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

const PAGE = 'docs/operations/redis.md';

/** @returns the rules of a user on the page, with another password and prefix */
export function rulesOnPage(user: string, password: string, prefix: string): string[] {
  const line = new RegExp(`^user ${user} (.*)$`, 'm').exec(readFileSync(PAGE, 'utf8'))?.[1];
  if (line === undefined) throw new Error(`${PAGE} has no user ${user}`);
  return line
    .trim()
    .split(/\s+/)
    .map(rule => rule.replace('>password', `>${password}`).replaceAll('bull:', `${prefix}:`));
}

/** @returns the rules that the product's user needs in addition in a Redis Cluster */
export function rulesOfCluster(): string[] {
  const line = /^\+cluster.*$/m.exec(readFileSync(PAGE, 'utf8'))?.[0];
  if (line === undefined) throw new Error(`${PAGE} has no line of rules for a cluster`);
  return line.trim().split(/\s+/);
}

/** @returns a sentence for each command that was refused, and how often; empty: nothing was */
export async function refusedCommands(admin: Redis): Promise<string[]> {
  const log = (await admin.call('ACL', 'LOG')) as unknown[][];
  return log.map(entry => {
    const field = (name: string) => String(entry[entry.indexOf(name) + 1]);
    return `${field('username')}: ${field('reason')} ${field('object')} (${field('context')}) × ${field('count')}`;
  });
}
