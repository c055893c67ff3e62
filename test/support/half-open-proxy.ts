/**
 * A TCP proxy whose connections can become half-open: their bytes vanish both ways without a signal to either side, as behind a
 * firewall that has forgotten them, while new connections work.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type Line = { readonly near: Socket; readonly far: Socket; isDead: boolean };

export class HalfOpenProxy {
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #swallowsNew = false;
  /** connections that wait for {@link holdNew} to end; undefined: new ones work at once */
  #held: Socket[] | undefined;
  /** connections that were made through it, ever */
  accepted = 0;

  private constructor(private readonly target: { host: string; port: number }) {
    this.#server = createServer(near => this.#accept(near));
  }

  /** @param url of the real server */
  static async start(url: string): Promise<HalfOpenProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new HalfOpenProxy({ host: hostname, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** From now on existing connections drop all bytes. @returns their number */
  swallow(): number {
    for (const line of this.#lines) line.isDead = true;
    return this.#lines.size;
  }

  /** New connections are accepted and drop all bytes as well, until `false`. */
  swallowNew(swallows: boolean): void {
    this.#swallowsNew = swallows;
  }

  /** New connections wait, and lose nothing, until {@link letNew}. */
  holdNew(): void {
    this.#held ??= [];
  }

  letNew(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const near of held) this.#connect(near);
  }

  async stop(): Promise<void> {
    for (const near of this.#held ?? []) near.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { near, far } of this.#lines) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #accept(near: Socket): void {
    this.accepted += 1;
    if (this.#held) {
      near.pause();
      near.on('error', () => {});
      this.#held.push(near);
    } else this.#connect(near);
  }

  #connect(near: Socket): void {
    if (near.destroyed) return;
    const far = connect(this.target);
    const line: Line = { near, far, isDead: this.#swallowsNew };
    this.#lines.add(line);
    this.#forward(line, near, far);
    this.#forward(line, far, near);
  }

  /** Of a dead line not even the end of one side reaches the other. */
  #forward(line: Line, from: Socket, to: Socket): void {
    from.on('data', bytes => {
      if (!line.isDead) to.write(bytes);
    });
    from.resume();
    from.on('error', () => {});
    from.on('close', () => {
      if (!line.isDead) to.destroy();
      if (line.near.destroyed && line.far.destroyed) this.#lines.delete(line);
    });
  }
}
