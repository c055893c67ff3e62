/**
 * Fingerprint: which release of BullMQ is installed, and whether its scripts are those that ours mirror (README.md lists
 * what of each). BullMQ exports no script: they are read from its files, and where those are no longer found, the release
 * counts as unknown.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { QueueKeys } from 'bullmq';

/** What ours do to many jobs in BullMQ's place, or read because BullMQ has written it. */
const MIRRORED = [
  'addPrioritizedJob',
  'addStandardJob',
  'extendLocks',
  'moveStalledJobsToWait',
  'moveToActive',
  'moveToFinished',
] as const;

/** Fingerprint → the release in which it was first seen. Before one is added here, the steps in README.md are taken. */
export const KNOWN: Readonly<Record<string, string>> = {
  '77d4b7ef6aa8ec0ded8f295f31f2f052f74303e0': '6.7.0',
};

/** As BullMQ's files have it: `content` is Lua, `keys` their number. */
export type BullmqScript = { readonly name: string; readonly content: string; readonly keys: number };
export type Release = {
  readonly version: string;
  readonly scripts: ReadonlyMap<string, BullmqScript>;
};

/** The installed release. Without scripts where its files are other ones. */
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

/** Of the scripts that ours mirror, and of the names of keys. Pure. @returns undefined where a script is missing */
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
