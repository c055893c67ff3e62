/**
 * What associations cost at HubSpot: the number of calls, and about how long they take at the quota. Pure.
 * A call takes inputs of one object pair, whatever their types.
 */
import { type AssociationType, typesText } from '../../shared/contract/association.js';
import { counted } from '../../shared/contract/counted.js';
import { duration } from '../../shared/runtime/duration.js';
import type { Chunk } from './read-associations.js';

export type CallLimits = {
  readonly batchMaxInputs: number;
  readonly rateLimitCalls: number;
  readonly rateLimitWindowMs: number;
  /** 0: none */
  readonly dailyCallLimit: number;
};

/** Associations of one object pair with the same types. */
export type Kind = {
  readonly fromObjectType: string;
  readonly toObjectType: string;
  readonly types: readonly AssociationType[];
  associations: number;
};

/** Counts associations by object pair and types. */
export class Tally {
  lines = 0;
  associations = 0;
  readonly #kinds = new Map<string, Kind>();
  #last: Kind | undefined;
  #lastLine = 0;

  /** Runs for every association of an import: consecutive ones mostly share the kind, and then the array of types. */
  add({ associations, lines }: Pick<Chunk, 'associations' | 'lines'>): void {
    for (const { fromObjectType, toObjectType, types = [] } of associations) {
      let kind = this.#last;
      if (
        kind?.types !== types ||
        kind.fromObjectType !== fromObjectType ||
        kind.toObjectType !== toObjectType
      ) {
        kind = this.#kind(fromObjectType, toObjectType, types);
        this.#last = kind;
      }
      kind.associations += 1;
    }
    for (const line of lines) {
      if (line !== this.#lastLine) this.lines += 1;
      this.#lastLine = line;
    }
    this.associations += associations.length;
  }

  kinds(): readonly Kind[] {
    return [...this.#kinds.values()];
  }

  calls({ batchMaxInputs }: Pick<CallLimits, 'batchMaxInputs'>): number {
    const inputs = new Map<string, number>();
    for (const { fromObjectType, toObjectType, associations } of this.#kinds.values()) {
      const pair = `${fromObjectType} ${toObjectType}`;
      inputs.set(pair, (inputs.get(pair) ?? 0) + associations);
    }
    return [...inputs.values()].reduce((sum, count) => sum + Math.ceil(count / batchMaxInputs), 0);
  }

  #kind(fromObjectType: string, toObjectType: string, types: readonly AssociationType[]): Kind {
    const key = `${fromObjectType} ${toObjectType} ${typesText(types)}`;
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = { fromObjectType, toObjectType, types, associations: 0 };
      this.#kinds.set(key, kind);
    }
    return kind;
  }
}

/** `150 calls to HubSpot, about 15 s at the quota (100 calls in 10 s)` */
export function callsText(calls: number, limits: CallLimits): string {
  if (calls === 0) return 'no call to HubSpot: there is nothing to create';
  const { rateLimitCalls, rateLimitWindowMs, dailyCallLimit } = limits;
  const window = `${counted(rateLimitCalls, 'call')} in ${rateLimitWindowMs / 1_000} s`;
  const seconds = (calls / rateLimitCalls) * rateLimitWindowMs;
  const time = calls <= rateLimitCalls ? 'a few seconds' : `about ${duration(seconds)}`;
  const days = dailyCallLimit > 0 ? Math.ceil(calls / dailyCallLimit) : 1;
  const daily = days > 1 ? `; ${days} days at ${counted(dailyCallLimit, 'call')} a day` : '';
  return `${counted(calls, 'call')} to HubSpot, ${time} at the quota (${window})${daily}`;
}
