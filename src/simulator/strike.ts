/**
 * Executes a judged batch under the fault that it met, if any: what is written, what is answered, how the answer is sent.
 * One case for each kind of fault.
 */

import { objectTypeWord } from '../shared/contract/object-types.js';
import { answerStatus, answerText } from './answers.js';
import type { Batch } from './batch.js';
import type { Fault } from './faults.js';
import type { CallRecord } from './ledger.js';
import { type BadRequest, type Reply, refusal, usualReply } from './replies.js';
import type { InputError, Verdict } from './rules.js';
import type { SimulatorState } from './state.js';

/** How an answer is sent: after a delay, in half, or not at all. */
export type Transmission = { readonly delayMs: number; readonly cut: 'no' | 'half' | 'reset' };
export type SentReply = { readonly reply: Reply; readonly delivery: Transmission };
export const AT_ONCE: Transmission = { delayMs: 0, cut: 'no' };

type FaultOf<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

export function settle(
  state: SimulatorState,
  request: { readonly version: string; readonly call: CallRecord },
  batch: Batch,
  verdict: Verdict,
  fault: Fault | undefined,
): SentReply {
  const good = verdict.kind === 'judged' ? verdict.created : [];
  const write = (indexes: readonly number[]) => state.ledger.write(request.call, batch, indexes);
  const accepted = (reported: readonly number[], errors: readonly InputError[]): Reply => ({
    status: answerStatus(errors, request.version, state.options),
    json: answerText(batch, reported, errors, state.options, request.call.at, state.random),
  });
  const answer = (reported = good, more: readonly InputError[] = []): Reply =>
    verdict.kind === 'refused' ? verdict.refusal : accepted(reported, [...verdict.errors, ...more]);

  switch (fault?.kind) {
    case undefined:
      write(good);
      return { reply: answer(), delivery: AT_ONCE };
    case 'slow':
      write(good);
      return { reply: answer(), delivery: { delayMs: fault.ms, cut: 'no' } };
    case 'status':
      if (fault.applied) write(good);
      return { reply: scriptedReply(fault), delivery: AT_ONCE };
    case 'reset':
    case 'half-body':
      if (fault.applied) write(good);
      return { reply: answer(), delivery: { delayMs: 0, cut: fault.kind === 'reset' ? 'reset' : 'half' } };
    case 'empty':
      if (fault.applied) write(good);
      return { reply: accepted([], []), delivery: AT_ONCE };
    case 'omit': {
      const reported = good.filter(index => !isChosen(batch, index, fault));
      write(fault.applied ? good : reported);
      return { reply: answer(reported), delivery: AT_ONCE };
    }
    case 'partial': {
      const created = good.filter(index => !isChosen(batch, index, fault));
      const failed = good.filter(index => isChosen(batch, index, fault));
      write(created);
      return {
        reply: answer(
          created,
          failed.map(index => scriptedError(batch, index, fault)),
        ),
        delivery: AT_ONCE,
      };
    }
    case 'refuse':
      return { reply: scriptedRefusal(batch, fault), delivery: AT_ONCE };
  }
}

/** @returns true if the fault concerns this input: with neither `ids` nor `every` it concerns all inputs */
function isChosen(batch: Batch, index: number, fault: { ids?: string[]; every?: number }): boolean {
  if (fault.ids) return badSide(batch, index, fault.ids) !== undefined;
  return fault.every === undefined || index % fault.every === fault.every - 1;
}

const badSide = (batch: Batch, index: number, ids: readonly string[]): 'from' | 'to' | undefined => {
  if (ids.includes(batch.from[index] as string)) return 'from';
  return ids.includes(batch.to[index] as string) ? 'to' : undefined;
};

/** @returns the scripted answer. Body and headers of the usual answer apply where the script gives none. */
export function scriptedReply(fault: FaultOf<'status'>): Reply {
  const usual = usualReply(fault.status);
  const headers = fault.headers ?? (fault.body === undefined ? usual.headers : undefined);
  return { status: fault.status, body: fault.body ?? usual.body, ...(headers && { headers }) };
}

function scriptedError(batch: Batch, index: number, fault: FaultOf<'partial'>): InputError {
  const side = (fault.ids && badSide(batch, index, fault.ids)) ?? 'from';
  const from = batch.from[index] as string;
  const to = batch.to[index] as string;
  const id = side === 'from' ? from : to;
  const word = objectTypeWord(side === 'from' ? batch.fromType : batch.toType);
  const contexts = {
    full: { objectType: [word], id: [id] },
    'id-only': { id: [id] },
    pair: { fromObjectId: [from], toObjectId: [to] },
    none: undefined,
  } as const;
  const context = contexts[fault.context ?? 'full'];
  return {
    status: 'error',
    category: fault.category ?? 'VALIDATION_ERROR',
    ...(fault.subCategory !== undefined && { subCategory: fault.subCategory }),
    message: fault.message ?? 'This association cannot be created',
    ...(context && { context }),
  };
}

/** Names the scripted ids that the call contains, or every `from` id if the script has no ids. */
function scriptedRefusal(batch: Batch, fault: FaultOf<'refuse'>): BadRequest {
  const message = 'One or more associations are invalid';
  if (!fault.named) return refusal(message);
  const named = new Map<string, string>();
  for (const [index, from] of batch.from.entries()) {
    const to = batch.to[index] as string;
    if (!fault.ids || fault.ids.includes(from)) named.set(from, objectTypeWord(batch.fromType).toUpperCase());
    if (fault.ids?.includes(to)) named.set(to, objectTypeWord(batch.toType).toUpperCase());
  }
  return refusal(message, {
    INVALID_OBJECT_IDS: [...named].map(([id, word]) => `${word}=${id} is not valid`),
    objectId: [...named.keys()],
    objectType: [...new Set(named.values())],
  });
}
