/**
 * Reads the server-sent events of one answer with fetch: an EventSource hides the reason of a refusal and retries by itself.
 */
export type FailedAction = { status: number; message: string };

/**
 * @param on called with each event's name and data
 * @returns the refusal; undefined if the answer was complete
 * @throws Error if the connection breaks, or `signal` aborts it
 */
export async function readEvents(
  url: string,
  on: (name: string, data: string) => void,
  signal: AbortSignal,
): Promise<FailedAction | undefined> {
  const response = await fetch(url, { signal });
  if (!response.ok || !response.body) {
    const body = (await response.json().catch(() => ({}))) as { message?: string };
    return { status: response.status, message: body.message ?? `The dashboard answered ${response.status}` };
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    const events = (text + decoder.decode(value, { stream: true })).split('\n\n');
    text = events.pop() ?? ''; // an incomplete event
    for (const event of events) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1];
      const [name, data] = [field('event'), field('data')];
      if (name !== undefined && data !== undefined) on(name, data);
    }
  }
}
