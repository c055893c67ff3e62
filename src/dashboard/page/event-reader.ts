/**
 * Server-sent events of one answer, read with fetch: an EventSource hides why it was refused, and asks again by itself.
 */
export type Refusal = { status: number; message: string };

/**
 * @param on called with each event's name and data
 * @returns why there were none; undefined when the answer came to its end
 * @throws when the connection breaks, or `signal` ends it
 */
export async function readEvents(
  url: string,
  on: (name: string, data: string) => void,
  signal: AbortSignal,
): Promise<Refusal | undefined> {
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
    text = events.pop() ?? ''; // its end is still to come
    for (const event of events) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(event)?.[1];
      const [name, data] = [field('event'), field('data')];
      if (name !== undefined && data !== undefined) on(name, data);
    }
  }
}
