/** A node of a Redis Cluster that says what a test wants: who has the keys, and what it replies to commands. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Node } from '../../src/shared/runtime/redis-url.js';

const ALL_SLOTS = 16_384;

export class FakeNode {
  /** connections with such commands so far */
  used = 0;
  owner: Node;
  /** to every command but those by which a client connects and asks for the owner */
  reply = '+OK';
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    this.owner = this.place;
    server.on('connection', socket => this.#serve(socket));
  }

  static async start(): Promise<FakeNode> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FakeNode(server);
  }

  get place(): Node {
    return { host: '127.0.0.1', port: (this.server.address() as AddressInfo).port };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    let isUsed = false;
    socket.on('data', data => {
      for (const words of commandsIn(data.toString())) {
        const name = words.slice(0, 2).join(' ').toUpperCase();
        if (name === 'CLUSTER KEYSLOT') socket.write(`:${ALL_SLOTS / 2}\r\n`);
        else if (name === 'CLUSTER SLOTS') socket.write(this.#slots());
        else if (name.startsWith('CLIENT')) socket.write('+OK\r\n');
        else if (name.startsWith('HELLO')) socket.write("-ERR unknown command 'HELLO'\r\n");
        else if (name.startsWith('INFO')) socket.write('+role:master\r\n');
        else {
          if (!isUsed) this.used += 1;
          isUsed = true;
          socket.write(`${this.reply}\r\n`);
        }
      }
    });
  }

  #slots(): string {
    const { host, port } = this.owner;
    const entry = `*3\r\n$${host.length}\r\n${host}\r\n:${port}\r\n$2\r\nid\r\n`;
    return `*1\r\n*3\r\n:0\r\n:${ALL_SLOTS - 1}\r\n${entry}`;
  }
}

/** Of a chunk that holds whole commands. */
function commandsIn(text: string): string[][] {
  return text
    .split(/(?=^\*\d+\r\n)/m)
    .filter(command => command !== '')
    .map(command => command.split('\r\n').filter((_, line) => line > 0 && line % 2 === 0));
}
