/**
 * Counts the bytes of a body as they arrive, under the budget of all bodies (budget.ts). A request that waits for its
 * outcome keeps its share. Small requests are neither counted nor refused, whatever others use.
 */
import { Transform } from 'node:stream';
import type { FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify';
import { answerBroken } from '../broken-http.js';
import { Refusal } from '../refusal.js';
import { type Body, BodyBudget } from './budget.js';

/** Largest small body: about a hundred inputs, and as much as the headers of a request may have. */
const SMALL_BODY_BYTES = 16_384;
/**
 * Bodies that are read and handled at a time take half of the largest body together, and a larger body its turn alone: the
 * objects that a body becomes need about eight times its bytes.
 */
const BODIES_IN_TURN = 0.5;
/** Bytes of bodies that are read or wait, as a multiple of the largest body; further requests get 429. */
const BODIES_AT_ONCE = 4;
/** Checks of a body's progress during its turn, while others wait. */
const LOOKS = 15;
/** Smallest progress between two checks, bytes: with 30 s for a body that is 128 KB a second. */
const LEAST_PROGRESS = 262_144;

/** @param largeBodyMs time for a large body from the start of its turn */
export function bodyHolder(bodyLimit: number, largeBodyMs: number): preParsingHookHandler {
  const budget = new BodyBudget({
    beginnings: 2 * bodyLimit,
    turns: BODIES_IN_TURN * bodyLimit,
    line: BODIES_AT_ONCE * bodyLimit,
  });
  return (request, reply, payload, done) => {
    const { 'content-length': length, 'transfer-encoding': chunked } = request.headers;
    // a length that is not a number, or too large, is refused later
    const atMost = chunked === undefined ? Math.min(Number(length ?? 0), bodyLimit) || 0 : bodyLimit;
    if (atMost <= SMALL_BODY_BYTES) return done(null, payload);
    const body = budget.open(atMost);
    const counted = new CountedBody(body, () => hurry(request, reply, counted));
    reply.raw.once('close', () => {
      body.leave();
      counted.destroy();
    });
    done(null, payload.pipe(counted));
  };

  /** Watches a body during its turn, because others wait for it. */
  function hurry(request: FastifyRequest, reply: FastifyReply, counted: CountedBody): void {
    let [looks, idle, before] = [0, 0, counted.come];
    const look = (): void => {
      looks += 1;
      idle = budget.isAwaited && counted.come - before < LEAST_PROGRESS ? idle + 1 : 0;
      before = counted.come;
      // one idle check may be our fault: bytes may have waited in the socket while this thread was busy
      if (idle >= 2 || looks >= LOOKS) answerBroken(request.raw.socket, 408);
    };
    const looking = setInterval(look, largeBodyMs / LOOKS);
    const inTime = () => clearInterval(looking);
    request.raw.once('end', inTime);
    reply.raw.once('close', inTime);
    if (request.raw.readableEnded) inTime();
  }
}

class CountedBody extends Transform {
  come = 0;

  constructor(
    private readonly body: Body,
    private readonly onTurn: () => void,
  ) {
    super();
  }

  override _transform(
    chunk: Buffer,
    _encoding: string,
    done: (error: Error | null, chunk?: Buffer) => void,
  ): void {
    this.come += chunk.length;
    const turn = this.body.take(chunk.length);
    if (turn === undefined) done(null, chunk);
    else if (turn === 'full') done(tooMany());
    else
      void turn.then(() => {
        this.onTurn();
        done(null, chunk);
      });
  }
}

const tooMany = (): Refusal =>
  new Refusal(429, 'Too many large requests at once: try again', [], { 'retry-after': '1' });
