/**
 * A browser that has given the right password once gets a cookie that says so. It lets nobody in; it only keeps this
 * browser's tries apart from those of others at the same address, who may be guessing: behind a proxy that is everybody.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const NAME = 'association-queue-known';
const COOKIE = new RegExp(`(?:^|;\\s*)${NAME}=([\\w-]{22})\\.([\\w-]{43})(?:;|$)`);

export class KnownBrowsers {
  /** of this process: after a restart every browser is asked anew, by itself */
  readonly #key = randomBytes(32);

  /** @returns its id; undefined for a browser that is not known */
  idIn(cookies: string | undefined): string | undefined {
    const [, id = '', signature = ''] = COOKIE.exec(cookies ?? '') ?? [];
    if (id === '') return undefined;
    return timingSafeEqual(Buffer.from(signature), Buffer.from(this.#sign(id))) ? id : undefined;
  }

  /** For Set-Cookie. */
  newCookie(): string {
    const id = randomBytes(16).toString('base64url');
    return `${NAME}=${id}.${this.#sign(id)}; Path=/; HttpOnly; SameSite=Strict`;
  }

  #sign(id: string): string {
    return createHmac('sha256', this.#key).update(id).digest('base64url');
  }
}
