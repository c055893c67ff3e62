/** Starts the load generator, hands it orders, ends it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from '../peers/http-load.js';

export type HttpLoad = { send(order: LoadOrder): Promise<LoadReport>; stop(): void };

export function startHttpLoad(): HttpLoad {
  const child = fork(fileURLToPath(new URL('../peers/http-load.js', import.meta.url)));
  return {
    async send(order) {
      const gone = new AbortController();
      const exited = once(child, 'exit', { signal: gone.signal }).then(() => {
        throw new Error('the load generator ended by itself');
      });
      exited.catch(() => {}); // it is aborted after every good round
      const reported = once(child, 'message', { signal: gone.signal }) as Promise<[LoadReport]>;
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
