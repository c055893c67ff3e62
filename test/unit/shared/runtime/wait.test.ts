/** Waiting for an answer, also while this thread is too busy to receive it; what a wait leaves behind. */
import { getEventListeners, once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import { heardWithin, settlesWithin } from '../../../../src/shared/runtime/wait.js';

/** Keeps the thread busy, so that it receives nothing. */
function beBusyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('heardWithin', () => {
  it('takes an answer that came while the thread was busy for longer than the deadline', async () => {
    const { port1, port2 } = new MessageChannel();
    const answer = heardWithin(once(port2, 'message'), 100, () => {});
    port1.postMessage('it has come'); // only a turn of the event loop delivers it
    beBusyFor(300);
    await expect(answer).resolves.toHaveLength(1);
    port1.close();
  });

  it('gives up on who says nothing, and lets go of the connection first', async () => {
    const events: string[] = [];
    const never = heardWithin(new Promise(() => {}), 20, () => events.push('let go'));
    await never.catch(error => events.push(error.message));
    expect(events).toEqual(['let go', 'no answer within 20 ms']);
  });

  it("passes the work's own error on", async () => {
    let silent = false;
    const failing = heardWithin(Promise.reject(new Error('refused')), 10_000, () => {
      silent = true;
    });
    await expect(failing).rejects.toThrow('refused');
    expect(silent).toBe(false);
  });
});

describe('settlesWithin', () => {
  it('ends with the signal, and leaves no listener on it, however it ended', async () => {
    const ending = new AbortController();
    const { signal } = ending;
    const never = new Promise(() => {});
    expect(await settlesWithin(never, 1, signal)).toBe(false);
    expect(await settlesWithin(Promise.resolve(), 10_000, signal)).toBe(true);
    const waiting = settlesWithin(never, 10_000, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    ending.abort();
    expect(await waiting).toBe(false);
    expect(await settlesWithin(never, 10_000, signal)).toBe(false);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
