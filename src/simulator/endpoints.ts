/** Maps a path, in v4 and in the dated versions, to a call and its handler. */
import { type AccountCall, accountCallOf, tellAccount } from './account.js';
import { create, objectPair } from './create.js';
import type { Target } from './faults.js';
import type { CallRecord } from './ledger.js';
import { labels, read } from './lookups.js';
import { type Reply, refusal } from './replies.js';
import type { SimulatorState } from './state.js';
import { AT_ONCE, type SentReply, scriptedReply } from './strike.js';

type AssociationsEndpoint = {
  readonly name: 'create' | 'read' | 'labels';
  readonly version: string;
  readonly fromName: string;
  readonly toName: string;
};
export type Endpoint = AssociationsEndpoint | { readonly name: 'account'; readonly call: AccountCall };

const PATH =
  /^\/crm\/(?:(v4)\/associations|associations\/(2025-09|2026-03|2026-09))\/([^/]+)\/([^/]+)\/(batch\/create|batch\/read|labels)$/;
const CALLS: Record<string, AssociationsEndpoint['name']> = {
  'POST batch/create': 'create',
  'POST batch/read': 'read',
  'GET labels': 'labels',
};

export function endpointOf(method: string, path: string): Endpoint | undefined {
  const accountCall = accountCallOf(method, path);
  if (accountCall) return { name: 'account', call: accountCall };
  const [, v4, dated, fromName, toName, rest] = PATH.exec(path) ?? [];
  const name = CALLS[`${method} ${rest}`];
  const version = v4 ?? dated;
  if (!name || version === undefined || fromName === undefined || toName === undefined) return undefined;
  return { name, version, fromName: decoded(fromName), toName: decoded(toName) };
}

export function callOutcome(
  state: SimulatorState,
  endpoint: Endpoint,
  call: CallRecord,
  body: Buffer,
): SentReply {
  if (endpoint.name === 'create') return create(state, { ...endpoint, body, call });
  if (endpoint.name === 'account') {
    const tell = () => tellAccount(state, endpoint.call, body.toString('utf8'), call.at);
    return underFault(state, call, { endpoint: 'account', fromType: '', toType: '' }, tell);
  }
  const { name } = endpoint;
  const pair = objectPair(endpoint.fromName, endpoint.toName);
  if ('unknown' in pair)
    return { reply: refusal(`Unable to infer object type from: ${pair.unknown}`), delivery: AT_ONCE };
  const { fromType, toType } = pair;
  return underFault(state, call, { endpoint: name, fromType, toType }, () =>
    name === 'read' ? read(state, fromType, toType, body.toString('utf8')) : labels(state, fromType, toType),
  );
}

/** A call that reads only: its answer, unless it meets a scripted fault. */
function underFault(state: SimulatorState, call: CallRecord, target: Target, answer: () => Reply): SentReply {
  const fault = state.faults.take(target, state.random);
  if (fault) call.fault = fault.kind;
  const reply = fault?.kind === 'status' ? scriptedReply(fault) : answer();
  const cut = fault?.kind === 'reset' ? 'reset' : fault?.kind === 'half-body' ? 'half' : 'no';
  return { reply, delivery: { delayMs: fault?.kind === 'slow' ? fault.ms : 0, cut } };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
