/**
 * Caller: makes the calls to HubSpot in a thread of its own. Writing 2,000 inputs as JSON, sending them, reading as many
 * results and looking them up is half of the worker's computing; here it holds up neither the locks of jobs nor the next
 * batch (docs/decisions/0011).
 *
 * One call in, one answer out, like the client itself: it never rejects. Should the thread die, its calls end without an
 * answer, and the next call starts another.
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
  /** @property body the answer's body as JSON, where it has one */
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly answer: Answer | NotSent;
      readonly body?: string;
    }
  /** the call was written that much later than its slot */
  | { readonly kind: 'late'; readonly id: number; readonly lateMs: number }
  | { readonly kind: 'limit'; readonly limit: number }
  | { readonly kind: 'ready' };

type Parts = Pick<HubSpotClientOptions, 'token' | 'onRateLimitHeader'>;

/**
 * All that a call makes is garbage when it ends, and no more than its results are objects: V8's own 48 MB hold more calls
 * than are worth keeping in a processor's cache; 12 MB cost a tenth more. (A bound for the old generation does, too.)
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

  /** Resolves when calls go out at once: a permit's time must not pass while a thread starts. */
  async start(): Promise<void> {
    await new Promise<void>(resolve => {
      this.#onReady = resolve;
      this.#thread ??= this.#start();
    });
  }

  /**
   * POST …/batch/create with these inputs.
   * @param call.columns are given away
   * @param signal ends the call: whether it was carried out is then unknown
   * @param slot when it may go; too late, it is not sent
   * @param onLate called when it was written late
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
