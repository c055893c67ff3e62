/**
 * Caller: makes the calls to HubSpot in a separate thread. Writing 2,000 inputs as JSON, sending them, reading as many
 * results and looking them up is half of the worker's computing. In the thread it delays neither the locks of jobs nor the
 * next batch (docs/decisions/0011).
 *
 * One call in, one answer out; it never rejects. If the thread dies, its calls end without an answer, and the next call
 * starts a new thread.
 */
import { Worker } from 'node:worker_threads';
import type { Answer } from '../../hubspot/classify.js';
import type { NotSent, Slot } from '../../hubspot/departure.js';
import { messageOf } from '../../shared/contract/errors.js';
import { type Call, type PackedColumns, packColumns } from '../batches/columns.js';
import type { HubSpotClientOptions } from './hubspot-client.js';

export type CallerOptions = Omit<HubSpotClientOptions, 'token' | 'onRateLimitHeader'>;
export type ToThread =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly token: string;
      readonly call: Omit<Call, 'columns'> & { readonly columns: PackedColumns };
      readonly slot: Slot;
    }
  | { readonly kind: 'cancel'; readonly id: number };
export type FromThread =
  /** @property body the answer's body as JSON, if it has one */
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly answer: Answer | NotSent;
      readonly body?: string;
    }
  /** by how much the call was written later than its slot */
  | { readonly kind: 'late'; readonly id: number; readonly lateMs: number }
  | { readonly kind: 'limit'; readonly limit: number }
  | { readonly kind: 'ready' };

type Parts = Pick<HubSpotClientOptions, 'token' | 'onRateLimitHeader'>;

/**
 * Everything that a call allocates is garbage when it ends, and only its results are objects. V8's default of 48 MB holds
 * more calls than fit into a processor's cache; 12 MB cost a tenth more CPU. (So does a bound for the old generation.)
 */
const YOUNG_GENERATION_MB = 24;

type Waiting = {
  readonly onLate: (lateMs: number) => void;
  readonly resolve: (answer: Answer | NotSent) => void;
};

export class Caller {
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | undefined;
  #onReady = () => {};
  #lastId = 0;

  constructor(
    private readonly options: CallerOptions,
    private readonly parts: Parts,
  ) {}

  /** Resolves when the thread is ready, because a permit must not expire while the thread starts. */
  async start(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#onReady = resolve;
      this.#thread ??= this.#start();
    });
  }

  /**
   * POST …/batch/create with these inputs.
   * @param call its columns are transferred to the thread
   * @param signal aborts the call; HubSpot may have executed it all the same
   * @param slot when the call may go; a call that is too late is not sent
   * @param onLate called if the call was written late
   */
  create(
    call: Call,
    signal: AbortSignal,
    slot: Slot,
    onLate: (lateMs: number) => void = () => {},
  ): Promise<Answer | NotSent> {
    this.#thread ??= this.#start();
    const thread = this.#thread;
    const id = ++this.#lastId;
    const cancel = () => thread.postMessage({ kind: 'cancel', id } satisfies ToThread);
    signal.addEventListener('abort', cancel);
    return new Promise(resolve => {
      this.#waiting.set(id, {
        onLate,
        resolve: answer => {
          signal.removeEventListener('abort', cancel);
          this.#waiting.delete(id);
          resolve(answer);
        },
      });
      const { fromObjectType, toObjectType, columns } = call;
      const packed = { fromObjectType, toObjectType, columns: packColumns(columns) };
      const order = { id, token: this.parts.token(), call: packed, slot };
      const handedOver = [columns.ids.buffer, columns.typeAt.buffer];
      thread.postMessage({ kind: 'call', ...order } satisfies ToThread, handedOver);
      if (signal.aborted) cancel();
    });
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL('./caller-thread.js', import.meta.url), {
      name: 'hubspot-caller',
      workerData: this.options,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    let reason = 'the thread that calls HubSpot has ended';
    thread.on('message', (message: FromThread) => this.#hear(message));
    thread.on('error', error => {
      reason = `the thread that calls HubSpot has failed: ${messageOf(error)}`;
    });
    thread.on('exit', () => {
      this.#thread = undefined;
      this.#onReady(); // the next call tries again
      const at = new Date().toISOString();
      for (const { resolve } of [...this.#waiting.values()])
        resolve({ kind: 'none', at, category: 'CONNECTION_ERROR', message: reason });
    });
    return thread;
  }

  #hear(message: FromThread): void {
    if (message.kind === 'ready') this.#onReady();
    else if (message.kind === 'limit') this.parts.onRateLimitHeader(message.limit);
    else if (message.kind === 'late') this.#waiting.get(message.id)?.onLate(message.lateMs);
    else this.#waiting.get(message.id)?.resolve(unpackAnswer(message));
  }
}

const unpackAnswer = ({ answer, body }: FromThread & { kind: 'answer' }): Answer | NotSent =>
  answer.kind === 'answer' && body !== undefined ? { ...answer, body: JSON.parse(body) } : answer;
