/**
 * A browser that has given the right password once gets a cookie. The cookie gives no access. It only counts this browser's
 * tries separately from those of other browsers at the same address, who may be guessing: behind a proxy all have one address.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const NAME = 'association-queue-known';
const COOKIE = new RegExp(`(?:^|;\\s*)${NAME}=([\\w-]{22})\\.([\\w-]{43})(?:;|$)`);

export class KnownBrowsers {
  /** key of this process; after a restart every browser is unknown until its next request */
  readonly #key = randomBytes(32);

  /** @returns the browser's id; undefined for an unknown browser */
  idIn(cookies: string | undefined): string | undefined {
    const [, id = '', signature = ''] = COOKIE.exec(cookies ?? '') ?? [];
    if (id === '') return undefined;
    return timingSafeEqual(Buffer.from(signature), Buffer.from(this.#sign(id))) ? id : undefined;
  }

  /** @returns a value for Set-Cookie */
  newCookie(): string {
    const id = randomBytes(16).toString('base64url');
    return `${NAME}=${id}.${this.#sign(id)}; Path=/; HttpOnly; SameSite=Strict`;
  }

  #sign(id: string): string {
    return createHmac('sha256', this.#key).update(id).digest('base64url');
  }
}
