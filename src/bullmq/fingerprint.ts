/**
 * Fingerprint: finds the installed release of BullMQ and whether its scripts are those that ours mirror (README.md lists the
 * parts). BullMQ exports no scripts, so this file reads them from BullMQ's files. If it does not find them, the release
 * counts as unknown.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { QueueKeys } from 'bullmq';

/** BullMQ's scripts that our scripts replace for many jobs, or whose data our scripts read. */
export const MIRRORED = [
  'addPrioritizedJob',
  'addStandardJob',
  'extendLocks',
  'moveStalledJobsToWait',
  'moveToActive',
  'moveToFinished',
  'removeJob',
] as const;

/** Fingerprint → first release with it. Take the steps in README.md before you add one. */
export const KNOWN: Readonly<Record<string, string>> = {
  df707216105d82e0e346ebb3d388f986b697bfd1: '6.7.0',
};

/** A script in BullMQ's files: `content` is Lua, `keys` the number of keys. */
export type BullmqScript = { readonly name: string; readonly content: string; readonly keys: number };
export type Release = {
  readonly version: string;
  readonly scripts: ReadonlyMap<string, BullmqScript>;
};

/** @returns the installed release; without scripts if its files are unknown */
export function installedRelease(): Release {
  const load = createRequire(import.meta.url);
  const { version } = tryTo(() => load('bullmq/package.json') as { version: string }) ?? {
    version: 'unknown',
  };
  const files = tryTo(() => load('bullmq/dist/cjs/scripts/index.js') as Record<string, BullmqScript>) ?? {};
  return { version, scripts: new Map(Object.values(files).map(script => [script.name, script])) };
}

function tryTo<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch {
    return undefined;
  }
}

/** Pure. @returns the hash of the mirrored scripts and of the names of keys; undefined if a script is missing */
export function fingerprintOf({ scripts }: Pick<Release, 'scripts'>): string | undefined {
  const hash = createHash('sha1').update(JSON.stringify(new QueueKeys('prefix').getKeys('queue')));
  for (const name of MIRRORED) {
    const script = scripts.get(name);
    if (!script) return undefined;
    hash.update(`\n${name} ${script.keys}\n${script.content}`);
  }
  return hash.digest('hex');
}

export const isKnown = (release: Release, known: Readonly<Record<string, string>> = KNOWN): boolean =>
  Object.hasOwn(known, fingerprintOf(release) ?? '');
