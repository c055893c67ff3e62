/**
 * Finds PostgreSQL's programs and the user who may run them. If they are missing, installs the system's package where that
 * is allowed (root or CI on Debian/Ubuntu; Homebrew on macOS).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const DEBIAN = '/usr/lib/postgresql';

type Say = (line: string) => void;
/** The user who runs it, because PostgreSQL refuses to run as root. */
export type User = { readonly uid: number; readonly gid: number } | undefined;

/** The directory of initdb and postgres: in the PATH, otherwise Debian's newest. */
export function findPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  const places = [
    ...(process.env.PATH ?? '').split(path.delimiter),
    ...newestFirst.map(version => path.join(DEBIAN, version, 'bin')),
  ];
  return places.find(place => ['initdb', 'postgres'].every(name => existsSync(path.join(place, name))));
}

/** @returns whether anything was installed */
export function install(say: Say): boolean {
  const isRoot = process.getuid?.() === 0;
  const may = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  const sudo = isRoot ? [] : ['sudo', '-n'];
  const steps: string[][] = [];
  if (process.platform === 'darwin' && may('brew')) steps.push(['brew', 'install', 'postgresql']);
  else if (process.platform === 'linux' && may('apt-get') && (isRoot || process.env.CI))
    steps.push(
      [...sudo, 'apt-get', 'update', '-qq'],
      [...sudo, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'postgresql'],
    );
  for (const [program = '', ...args] of steps) {
    say(`no PostgreSQL here; running: ${[program, ...args].join(' ')}`);
    spawnSync(program, args, { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  }
  return steps.length > 0;
}

/** The user for PostgreSQL if we are root; undefined if we are not, or if there is none. */
export function someUser(): User {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const ids = ['-u', '-g'].map(flag => spawnSync('id', [flag, name], { encoding: 'utf8' }));
    const [uid, gid] = ids.map(({ status, stdout }) => (status === 0 ? Number(stdout) : undefined));
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  return undefined;
}
