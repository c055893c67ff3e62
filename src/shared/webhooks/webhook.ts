/**
 * Posts JSON to a webhook. The URL is a secret, because it may allow posting: only its host is ever shown, and errors of
 * fetch, which may quote it, do not leave this file.
 */

/**
 * What became of a post. `taken`: 2xx. `unwanted`: 410, never send this again. `refused`: the receiver is there and does not
 * accept this event. `failed`: everything else; it may be the same with any other event.
 */
export type PostResult = {
  readonly fate: 'taken' | 'unwanted' | 'refused' | 'failed';
  /** in words without the URL: `it answered 200`, `ECONNREFUSED` */
  readonly what: string;
};
export type Headers = Readonly<Record<string, string>>;

export class Webhook {
  readonly #url: string;

  constructor(
    url: string,
    private readonly timeoutMs: number,
  ) {
    this.#url = url;
  }

  /** The host, safe for logs. */
  get place(): string {
    return new URL(this.#url).host;
  }

  async post(body: string, headers: Headers, stop: AbortSignal): Promise<PostResult> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body,
        redirect: 'manual', // a redirect would send the text somewhere else
        signal: AbortSignal.any([stop, AbortSignal.timeout(this.timeoutMs)]),
      });
      await response.body?.cancel();
      return { fate: fateOf(response.status), what: `it answered ${response.status}` };
    } catch (error) {
      return { fate: 'failed', what: this.#problem(error) };
    }
  }

  #problem(error: unknown): string {
    if (error instanceof DOMException && error.name === 'TimeoutError')
      return `no answer within ${this.timeoutMs} ms`;
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
    return typeof code === 'string' ? code : 'no connection';
  }
}

/** Answers of 4xx that tell of the receiver or the way to it: its address, its credentials, its load. */
const OF_THE_RECEIVER: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 421, 425, 429]);

function fateOf(status: number): PostResult['fate'] {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 410) return 'unwanted';
  return status >= 400 && status < 500 && !OF_THE_RECEIVER.has(status) ? 'refused' : 'failed';
}
