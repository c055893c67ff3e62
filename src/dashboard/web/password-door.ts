/**
 * Basic authentication, compared in constant time. Wrong passwords are slowed down, counted and logged, by address, or by
 * browser if it has given the right one before, so that guesses lock out no other person (decision 26).
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Logger } from '../../shared/runtime/logger.js';
import type { GuardRefusal } from './guard.js';
import { KnownBrowsers } from './known-browsers.js';
import { WrongPasswords } from './wrong-passwords.js';

export type Credentials = { readonly user: string; readonly password: string };
export type Knock = {
  readonly authorization: string | undefined;
  readonly cookies: string | undefined;
  readonly address: string;
};
export type PasswordVerdict = {
  readonly refusal?: GuardRefusal;
  readonly headers?: Readonly<Record<string, string>>;
};

export class PasswordDoor {
  readonly #expected: Buffer;
  readonly #browsers = new KnownBrowsers();
  readonly #wrong: WrongPasswords;

  /** @param refused called for each password that was wrong or was not compared */
  constructor(
    { user, password }: Credentials,
    private readonly refused: (why: 'wrong' | 'too_many') => void,
    private readonly logger: Logger,
    now: () => number = () => performance.now(),
  ) {
    this.#expected = digest(`${user}:${password}`);
    this.#wrong = new WrongPasswords(now);
  }

  answer({ authorization, cookies, address }: Knock): PasswordVerdict {
    // browsers first send no password, and then ask their user
    if (authorization === undefined) return ASKED;
    const known = this.#browsers.idIn(cookies);
    const who = known ?? network(address);
    const waitMs = this.#wrong.waitMs(who);
    if (waitMs > 0) {
      this.#note('too_many', who, address);
      const seconds = Math.ceil(waitMs / 1_000);
      return {
        refusal: { status: 429, message: `Too many wrong passwords: try again in ${seconds} s` },
        headers: { 'retry-after': String(seconds) },
      };
    }
    if (this.#isRight(authorization))
      return known === undefined ? { headers: { 'set-cookie': this.#browsers.newCookie() } } : {};
    this.#note('wrong', who, address);
    return ASKED;
  }

  #isRight(authorization: string): boolean {
    const given = Buffer.from(/^Basic +(\S+) *$/i.exec(authorization)?.[1] ?? '', 'base64').toString();
    return timingSafeEqual(digest(given), this.#expected);
  }

  #note(why: 'wrong' | 'too_many', who: string, address: string): void {
    this.refused(why);
    const told = why === 'wrong' ? this.#wrong.wrong(who) : this.#wrong.early(who);
    if (told)
      this.logger.warn(
        { event: 'wrong password', address, ...told },
        'wrong password; further ones from this address are logged once a minute',
      );
  }
}

const ASKED: PasswordVerdict = {
  refusal: { status: 401, message: 'User and password are needed' },
  headers: { 'www-authenticate': 'Basic realm="association-queue", charset="UTF-8"' },
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whoever has one IPv6 address has its network of 2^64 addresses. */
const network = (address: string): string => {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::', 2);
  const left = head.split(':');
  const right = tail?.split(':') ?? [];
  const groups = [
    ...left,
    ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'),
    ...right,
  ];
  return groups.slice(0, 4).join(':');
};
