/**
 * Executes a batch/create call: reads the body, takes a scripted fault, judges the inputs, writes and answers.
 * Not here: credentials, limits and sending (server.ts).
 */

import { objectTypeId } from '../shared/contract/object-types.js';
import { readBatch } from './batch.js';
import type { CallRecord } from './ledger.js';
import { type BadRequest, refusal } from './replies.js';
import { judge } from './rules.js';
import type { SimulatorState } from './state.js';
import { AT_ONCE, type SentReply, settle } from './strike.js';

export type CreateRequest = {
  readonly version: string;
  readonly fromName: string;
  readonly toName: string;
  readonly body: Buffer;
  readonly call: CallRecord;
};

const refused = (reply: BadRequest): SentReply => ({ reply, delivery: AT_ONCE });

export function create(state: SimulatorState, request: CreateRequest): SentReply {
  const pair = objectPair(request.fromName, request.toName);
  if ('unknown' in pair) return refused(refusal(`Unable to infer object type from: ${pair.unknown}`));
  const read = readBatch(request.body, pair.fromType, pair.toType, state.lists);
  if ('refusal' in read) return refused(read.refusal);
  const { batch } = read;
  request.call.inputs = batch.from.length;
  const fault = state.faults.take({ endpoint: 'create', ...pair, batch }, state.random);
  if (fault) request.call.fault = fault.kind;
  const verdict = judge(batch, { ...state.options, missing: state.missing });
  if (verdict.kind === 'refused') state.ledger.duplicates += verdict.duplicates;
  return settle(state, request, batch, verdict, fault);
}

export function objectPair(
  fromName: string,
  toName: string,
): { fromType: string; toType: string } | { unknown: string } {
  const fromType = objectTypeId(fromName);
  const toType = objectTypeId(toName);
  if (fromType === undefined) return { unknown: fromName };
  return toType === undefined ? { unknown: toName } : { fromType, toType };
}
