/**
 * Posts a text to a webhook that accepts `{"text": …}` as Slack's do. The URL is a secret, because it allows posting: only
 * its host is ever shown, and errors of fetch, which may quote it, do not leave this file.
 */
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

  /** @returns the problem, in words without the URL; undefined if the webhook accepted the text */
  async post(text: string, stop: AbortSignal): Promise<string | undefined> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
        redirect: 'manual', // a redirect would send the text somewhere else
        signal: AbortSignal.any([stop, AbortSignal.timeout(this.timeoutMs)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'TimeoutError')
        return `no answer within ${this.timeoutMs} ms`;
      const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
      return typeof code === 'string' ? code : 'no connection';
    }
  }
}
