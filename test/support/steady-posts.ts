/**
 * A caller of the gateway that posts at a steady rate whatever happens, and repeats each post under its Idempotency-Key
 * until it is acknowledged. It remembers what was refused, and when.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pair } from '../../src/shared/contract/association.js';
import { eventually } from './eventually.js';
import { CREATE, inputOf } from './samples.js';

const INTERVAL_MS = 100;
const REPEAT_MS = 500;
/** A gateway answers within two seconds what does not wait. */
const ANSWER_MS = 5_000;
const WAIT_SECONDS = 60;
/** Every tenth post is of high priority and waits for its outcome. */
const WAITS = 10;

export type Post = {
  readonly pairs: readonly Pair[];
  /** when the first attempt was made, ms */
  readonly at: number;
  readonly waits: boolean;
  /** times of the attempts that were not acknowledged */
  readonly refusedAt: number[];
  ackedAt?: number;
  id?: string;
  /** COMPLETE, PENDING */
  status?: string;
};

export class SteadyPosts {
  readonly all: Post[] = [];
  /** words of the refusals → how often */
  readonly words = new Map<string, number>();
  #isOver = false;
  #isAbandoned = false;
  #posting: Promise<void> = Promise.resolve();

  /** @param next the pairs of the next post */
  constructor(
    private readonly url: string,
    private readonly next: () => readonly Pair[],
  ) {}

  start(): void {
    this.#posting = this.#goOn();
  }

  /** When attempts were refused. */
  get refusedAt(): number[] {
    return this.all.flatMap(({ refusedAt }) => refusedAt);
  }

  /** When posts were acknowledged that do not wait for their outcome. */
  get ackedAt(): number[] {
    return this.all.flatMap(({ ackedAt, waits }) => (ackedAt !== undefined && !waits ? [ackedAt] : []));
  }

  /** Resolves when all posts are acknowledged that were made before `until` and do not wait for their outcome. */
  async acknowledged(until: number): Promise<void> {
    await this.#none(({ at, waits, ackedAt }) => at < until && !waits && ackedAt === undefined);
  }

  /** Posts nothing new. Resolves when every post is acknowledged. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#posting;
    await this.#none(({ ackedAt }) => ackedAt === undefined);
  }

  /** Ends without waiting for answers. */
  async abandon(): Promise<void> {
    this.#isOver = true;
    this.#isAbandoned = true;
    await this.#posting;
  }

  async #none(isOpen: (post: Post) => boolean): Promise<void> {
    await eventually(() => {
      const open = this.all.filter(isOpen).length;
      if (open > 0) throw new Error(`${open} posts are not acknowledged`);
    }, 120_000);
  }

  async #goOn(): Promise<void> {
    while (!this.#isOver) {
      const waits = this.all.length % WAITS === 0;
      const post: Post = { pairs: this.next(), at: performance.now(), waits, refusedAt: [] };
      this.all.push(post);
      void this.#send(post);
      await delay(INTERVAL_MS);
    }
  }

  async #send(post: Post): Promise<void> {
    const key = randomUUID();
    while (!this.#isAbandoned) {
      const fault = await this.#attempt(post, key).catch((error: Error) => error.name);
      if (fault === undefined) return;
      post.refusedAt.push(performance.now());
      this.words.set(fault, (this.words.get(fault) ?? 0) + 1);
      await delay(REPEAT_MS);
    }
  }

  /** @returns why it was not acknowledged; undefined if it was */
  async #attempt(post: Post, key: string): Promise<string | undefined> {
    const waiting = { 'x-priority': 'high', prefer: `wait=${WAIT_SECONDS}` };
    const response = await fetch(this.url + CREATE, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key, ...(post.waits && waiting) },
      body: JSON.stringify({ inputs: post.pairs.map(([from, to]) => inputOf(from, to)) }),
      signal: AbortSignal.timeout(ANSWER_MS + (post.waits ? WAIT_SECONDS * 1_000 : 0)),
    });
    const body = (await response.json()) as { status: string; message?: string; links?: { status: string } };
    if (response.status !== 201 && response.status !== 207) return `${response.status} ${body.message}`;
    post.status = body.status;
    post.ackedAt = performance.now();
    post.id = body.links?.status.split('/').at(-1) ?? '';
    return undefined;
  }
}
