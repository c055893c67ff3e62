/** Starts the bare loop, hands it orders, ends it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from '../peers/bare-axios.js';

export type BareAxios = { post(order: Order): Promise<Report>; stop(): void };

export function startBareAxios(): BareAxios {
  const child = fork(fileURLToPath(new URL('../peers/bare-axios.js', import.meta.url)));
  return {
    async post(order) {
      const gone = new AbortController();
      const exited = once(child, 'exit', { signal: gone.signal }).then(() => {
        throw new Error('the bare axios loop ended by itself');
      });
      exited.catch(() => {}); // it is aborted after every good round
      const reported = once(child, 'message', { signal: gone.signal }) as Promise<[Report]>;
      child.send(order);
      try {
        const [report] = await Promise.race([reported, exited]);
        return report;
      } finally {
        gone.abort();
      }
    },
    stop: () => child.disconnect(), // nothing else keeps it alive
  };
}
