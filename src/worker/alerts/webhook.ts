/**
 * Posts a text to a webhook that speaks as Slack's do: `{"text": …}`. The URL is a secret, whoever has it can post: of it
 * only the host is ever shown, and no error of fetch, which may repeat it, leaves this file.
 */
export class Webhook {
  readonly #url: string;

  constructor(
    url: string,
    private readonly timeoutMs: number,
  ) {
    this.#url = url;
  }

  /** Fit for logs. */
  get place(): string {
    return new URL(this.#url).host;
  }

  /** @returns what went wrong, in words without the URL; undefined: it was taken */
  async post(text: string, stop: AbortSignal): Promise<string | undefined> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
        redirect: 'manual', // it would carry the text somewhere else
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
