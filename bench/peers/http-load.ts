/**
 * Load for an HTTP server: clients that each send the next request when the last one is answered, over a connection that
 * stays open. Raw sockets, because Node's HTTP client would take more of the two cores than the server under test.
 * Runs as a separate process, which sends the load of each order and reports the result.
 */
import { once } from 'node:events';
import net from 'node:net';
import { OBJECT_PAIR, pairAt, TYPES } from '../support/associations.js';

export type LoadOrder = { readonly url: string; readonly clients: number; readonly requests: number };
/** `statuses`: number of answers by status */
export type LoadReport = { readonly ms: number; readonly statuses: Readonly<Record<string, number>> };

const PATH = `/crm/v4/associations/${OBJECT_PAIR.fromObjectType}/${OBJECT_PAIR.toObjectType}/batch/create`;

function requestAt(index: number): string {
  const [from, to] = pairAt(index);
  const body = JSON.stringify({ inputs: [{ from: { id: from }, to: { id: to }, types: TYPES }] });
  return `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** One client. @param next the text of the next request; undefined: no further request */
async function client(port: number, next: () => string | undefined, answered: (status: string) => void) {
  const socket = net.connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
  await once(socket, 'connect');
  await new Promise<void>((resolve, reject) => {
    let text = '';
    const send = () => {
      const request = next();
      if (request === undefined) resolve();
      else socket.write(request);
    };
    socket.on('data', (chunk: string) => {
      text += chunk;
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1]);
      if (text.length < head + 4 + length) return;
      answered(text.slice(9, 12));
      text = '';
      send();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    send();
  });
  socket.destroy();
}

async function load({ url, clients, requests }: LoadOrder): Promise<LoadReport> {
  const texts = Array.from({ length: requests }, (_, index) => requestAt(index));
  const statuses: Record<string, number> = {};
  let sent = 0;
  const next = () => texts[sent++];
  const answered = (status: string) => {
    statuses[status] = (statuses[status] ?? 0) + 1;
  };
  const port = Number(new URL(url).port);
  const since = performance.now();
  await Promise.all(Array.from({ length: clients }, () => client(port, next, answered)));
  return { ms: performance.now() - since, statuses };
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: LoadOrder) => {
  load(order).then(
    report => process.send?.(report),
    error => {
      console.error(error);
      process.exit(1);
    },
  );
});
