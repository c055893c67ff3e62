/**
 * Records what really happened. Tests and the demo compare it with the worker's figures.
 *
 *   1. Every call: when it arrived, how it ended, how long it took.
 *   2. Every association: when it was created, by which call, with which types.
 *
 * It often holds a million associations: see pair-table.ts.
 */

import { objectTypeId } from '../shared/contract/object-types.js';
import type { Batch, TypeList, TypeLists } from './batch.js';
import { PairTable } from './pair-table.js';
import { RecordIds } from './record-ids.js';

export type CallRecord = {
  /** from 1, in order of arrival */
  readonly n: number;
  /** arrival, epoch ms with fractions */
  readonly at: number;
  readonly endpoint: 'create' | 'read' | 'labels' | 'account' | 'other';
  readonly path: string;
  inputs: number;
  /** associations written, new or not */
  accepted: number;
  /** status of the answer; 0 until there is one, and for ever if the connection was cut */
  status: number;
  /** time from arrival to answer */
  ms: number;
  /** the call counts against the limits */
  counted: boolean;
  /** kind of the scripted fault that the call met */
  fault?: string;
  /** for a call that the rolling limit refused: by how much it was too early, ms */
  earlyMs?: number;
  /** for a call that the rolling limit refused: longest delay of this process's event loop in the window before it, ms */
  loopDelayMs?: number;
};

/** @returns true if the limit refused the call and no delay of the simulator explains it: the caller was too early */
export const isCallersFault = ({ earlyMs = 0, loopDelayMs = 0 }: CallRecord): boolean =>
  earlyMs > loopDelayMs;

export type Created = { readonly at: number; readonly call: number; readonly types: TypeList };
export type CreatedAssociation = Created & {
  readonly fromType: string;
  readonly toType: string;
  readonly from: string;
  readonly to: string;
};

export class Ledger {
  readonly calls: CallRecord[] = [];
  /** pairs that appeared twice in one call (such a call is refused) */
  duplicates = 0;
  /** accepted associations that already existed: harmless repeats */
  repeats = 0;
  #ids = new RecordIds();
  #tables = new Map<string, PairTable>();
  /** rows by from id, for reads; built on demand and dropped by the next write */
  #rowsByFrom = new Map<PairTable, Map<number, number[]>>();

  constructor(private readonly lists: TypeLists) {}

  begin(at: number, endpoint: CallRecord['endpoint'], path: string): CallRecord {
    const n = this.calls.length + 1;
    const call = { n, at, endpoint, path, inputs: 0, accepted: 0, status: 0, ms: 0, counted: false };
    this.calls.push(call);
    return call;
  }

  /** Creates the chosen associations of a batch; adds missing types to an existing one. */
  write(call: CallRecord, batch: Batch, indexes: readonly number[]): void {
    const table = this.#table(batch.fromType, batch.toType);
    this.#rowsByFrom.delete(table);
    for (const index of indexes) {
      const from = this.#ids.code(batch.from[index] as string);
      const to = this.#ids.code(batch.to[index] as string);
      const types = batch.types[index] as TypeList;
      const existing = table.add(from, to, call.n, this.lists.numberOf(types));
      if (existing >= 0) this.#repeat(table, existing, types);
    }
    call.accepted += indexes.length;
  }

  createdCount(): number {
    let count = 0;
    for (const table of this.#tables.values()) count += table.size;
    return count;
  }

  /** Accepts object types under any of their names. */
  get(fromType: string, toType: string, from: string, to: string): Created | undefined {
    const table = this.#tables.get(tableName(fromType, toType));
    const fromCode = this.#ids.find(from);
    const toCode = this.#ids.find(to);
    if (!table || fromCode === undefined || toCode === undefined) return undefined;
    const row = table.find(fromCode, toCode);
    return row >= 0 ? this.#created(table, row) : undefined;
  }

  has(fromType: string, toType: string, from: string, to: string): boolean {
    return this.get(fromType, toType, from, to) !== undefined;
  }

  /** @returns the associations of one record, in the direction in which they were created */
  of(fromType: string, toType: string, from: string): { to: string; types: TypeList }[] {
    const table = this.#tables.get(tableName(fromType, toType));
    const code = this.#ids.find(from);
    if (!table || code === undefined) return [];
    const rows = this.#rows(table).get(code) ?? [];
    return rows.map(row => ({
      to: this.#ids.id(table.toAt(row)),
      types: this.lists.list(table.typesAt(row)),
    }));
  }

  /** In the order of creation within an object pair. */
  *created(): Generator<CreatedAssociation> {
    for (const [name, table] of this.#tables) {
      const [fromType = '', toType = ''] = name.split('/');
      for (let row = 0; row < table.size; row++) {
        const [from, to] = [this.#ids.id(table.fromAt(row)), this.#ids.id(table.toAt(row))];
        yield { fromType, toType, from, to, ...this.#created(table, row) };
      }
    }
  }

  /** @returns the largest number of counted calls that arrived within any period of that length */
  maxCallsInWindow(windowMs: number): number {
    let most = 0;
    const window: number[] = [];
    let first = 0;
    for (const { at, counted } of this.calls) {
      if (!counted) continue;
      window.push(at);
      while ((window[first] ?? at) <= at - windowMs) first += 1;
      most = Math.max(most, window.length - first);
    }
    return most;
  }

  summary(windowMs: number) {
    const byStatus: Record<string, number> = {};
    const creates = this.calls.filter(call => call.endpoint === 'create');
    let inputs = 0;
    let withInputs = 0;
    for (const call of creates) {
      byStatus[call.status] = (byStatus[call.status] ?? 0) + 1;
      inputs += call.inputs;
      if (call.inputs > 0) withInputs += 1;
    }
    return {
      calls: creates.length,
      otherCalls: this.calls.length - creates.length,
      byStatus,
      created: this.createdCount(),
      repeats: this.repeats,
      duplicates: this.duplicates,
      /** mean of the calls whose inputs were read, which excludes calls refused with 401 or by the limits */
      meanInputs: withInputs === 0 ? 0 : inputs / withInputs,
      maxCallsInWindow: this.maxCallsInWindow(windowMs),
      windowMs,
    };
  }

  reset(): void {
    this.calls.length = 0;
    this.duplicates = 0;
    this.repeats = 0;
    this.#tables.clear();
    this.#rowsByFrom.clear();
  }

  #table(fromType: string, toType: string): PairTable {
    const name = tableName(fromType, toType);
    const known = this.#tables.get(name);
    if (known) return known;
    const table = new PairTable();
    this.#tables.set(name, table);
    return table;
  }

  #rows(table: PairTable): Map<number, number[]> {
    const known = this.#rowsByFrom.get(table);
    if (known) return known;
    const rows = new Map<number, number[]>();
    for (let row = 0; row < table.size; row++) {
      const from = table.fromAt(row);
      const siblings = rows.get(from);
      if (siblings) siblings.push(row);
      else rows.set(from, [row]);
    }
    this.#rowsByFrom.set(table, rows);
    return rows;
  }

  #repeat(table: PairTable, row: number, types: TypeList): void {
    this.repeats += 1;
    const known = this.lists.list(table.typesAt(row));
    if (known !== types) table.setTypes(row, this.lists.numberOf(this.lists.union(known, types)));
  }

  #created(table: PairTable, row: number): Created {
    const call = table.callAt(row);
    return { call, types: this.lists.list(table.typesAt(row)), at: this.calls[call - 1]?.at ?? 0 };
  }
}

const tableName = (fromType: string, toType: string): string =>
  `${objectTypeId(fromType) ?? fromType}/${objectTypeId(toType) ?? toType}`;
