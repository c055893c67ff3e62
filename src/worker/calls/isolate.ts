/**
 * Isolation: which group of inputs to send next, so that a few bad inputs are found among many good ones. Pure.
 *
 * Group testing by halving. A half that is accepted proves the other half guilty, which is then split without being
 * asked again: one bad input in 2,000 costs 17 calls on average and 23 at most after the refused one. Until something
 * has been accepted the search dives into the smallest group, to learn soon whether anything is acceptable at all; from
 * then on the largest group goes first, which frees most innocents per call. The number of calls is bounded: whoever is
 * still under suspicion then comes back later, in smaller batches.
 */
/** Calls spent on halving for one batch, after the call that was refused. */
export const ISOLATION_CALLS = 24;
/** Refusals that settle inputs by name pay for themselves, as long as something is accepted in between. */
const NAMING_CALLS = 100;
/** So many inputs refused alone, and none accepted: what they share is at fault, not each of them. */
const NOTHING_ACCEPTED_AFTER = 3;
/** So many calls accepted, and nobody mentioned in any of them. */
const NOBODY_MENTIONED_AFTER = 2;

/**
 * What is known of the object pair before its inputs are asked.
 * mute: the refusal says nothing against any input, and one more refused alone is enough to hold the pair ·
 * unproven: HubSpot has neither accepted nor named an input of it lately · judged: it has, so that the inputs are at fault
 */
export type Standing = 'mute' | 'unproven' | 'judged';

type Group = {
  readonly inputs: readonly number[];
  /** the other half of the same guilty group, as long as neither of the two has been asked */
  sibling?: Group;
};

export class Isolation {
  #pending: Group[];
  #standing: Standing | undefined;
  #current: Group | undefined;
  #calls = 0;
  #accepted = 0;
  #refusedAlone = 0;
  /** calls in a row that named somebody and accepted nobody */
  #naming = 0;
  #reports = 0;
  /** calls for several inputs that were accepted without effect, as long as nothing had one */
  #silent = 0;

  /** @param standing of the object pair: where it is in doubt, single inputs are asked before anything is halved */
  constructor(inputs: readonly number[], standing?: Standing) {
    this.#standing = standing;
    this.#pending = [{ inputs }];
  }

  /** The inputs to send next; undefined when there is nothing left to ask, or no call left to ask with. */
  next(): readonly number[] | undefined {
    if (this.#pending.length === 0 || this.isHopeless || this.#calls > ISOLATION_CALLS) return undefined;
    if (this.#naming >= NAMING_CALLS) return undefined;
    const isDoubted = this.#standing === 'mute' || this.#standing === 'unproven';
    const isAsked = this.#refusedAlone > 0 || (isDoubted && this.#reports > 0);
    if (this.#accepted === 0 && isAsked) return this.#probeElsewhere();
    const better = this.#accepted > 0 ? largerThan : smallerThan;
    let best = 0;
    this.#pending.forEach((group, at) => {
      if (better(group, this.#pending[best] as Group)) best = at;
    });
    this.#current = this.#pending.splice(best, 1)[0];
    return this.#current?.inputs;
  }

  /**
   * What the call for the current group brought.
   * @param found.accepted how many of its inputs were created
   * @param found.named how many an error named: they explain the refusal, nobody else is proven guilty by it
   * @param found.rest inputs to send again at once
   * @param found.suspects inputs of whom at least one is at fault
   * @param found.allGuilty each of the suspects is at fault
   * @param found.isSilent the call was accepted, and mentions nobody
   */
  report(found: {
    accepted: number;
    named: number;
    rest: readonly number[];
    suspects: readonly number[];
    allGuilty: boolean;
    isSilent: boolean;
  }): void {
    const group = this.#current;
    if (!group) throw new Error('report without a call: next() was not asked');
    this.#current = undefined;
    this.#reports += 1;
    if (found.isSilent && group.inputs.length > 1) this.#silent += 1;
    this.#accepted += found.accepted;
    if (found.named > 0) this.#standing = 'judged';
    this.#naming = found.accepted > 0 ? 0 : this.#naming + 1;
    // a call that settled inputs by name paid for itself
    if (found.named === 0) this.#calls += 1;
    this.#judgeSibling(group, found.named === 0 && found.suspects.length === 0 && found.rest.length === 0);
    if (found.rest.length > 0) this.#pending.push({ inputs: found.rest });
    if (found.suspects.length === 0) return;
    if (found.suspects.length === 1 && group.inputs.length > 1)
      this.#pending.push({ inputs: found.suspects });
    else if (found.allGuilty) for (const input of found.suspects) this.#pending.push({ inputs: [input] });
    else this.#split(found.suspects);
  }

  /** The current group was alone and is settled by its refusal. */
  reportAlone(): void {
    const group = this.#current;
    if (!group) throw new Error('report without a call: next() was not asked');
    this.#current = undefined;
    this.#calls += 1;
    this.#refusedAlone += 1;
    this.#judgeSibling(group, false);
  }

  /** The group is too large for one call (413): halve it; neither half is under suspicion. */
  reportTooLarge(): void {
    const group = this.#current;
    if (!group) throw new Error('report without a call: next() was not asked');
    this.#current = undefined;
    const middle = Math.ceil(group.inputs.length / 2);
    this.#calls -= 1; // one group more to send
    this.#judgeSibling(group, false);
    this.#pending.push({ inputs: group.inputs.slice(0, middle) }, { inputs: group.inputs.slice(middle) });
  }

  /** Bad inputs are often neighbours: before all hope is given up, single ones out of the largest groups are asked. */
  #probeElsewhere(): readonly number[] {
    const largest = this.#pending.reduce((best, group) => (largerThan(group, best) ? group : best));
    this.#pending = this.#pending.filter(group => group !== largest);
    if (largest.sibling) delete largest.sibling.sibling;
    const middle = largest.inputs.length >> 1;
    if (largest.inputs.length > 1) this.#pending.push({ inputs: largest.inputs.toSpliced(middle, 1) });
    this.#current = { inputs: largest.inputs.slice(middle, middle + 1) };
    return this.#current.inputs;
  }

  /** Inputs without an outcome, the current group included. */
  get unresolved(): number[] {
    return [...(this.#current?.inputs ?? []), ...this.#pending.flatMap(group => group.inputs)];
  }

  get hasAccepted(): boolean {
    return this.#accepted > 0;
  }

  /** Nothing at all was accepted, however small: the object pair with these types is at fault. */
  get isHopeless(): boolean {
    if (this.#accepted > 0) return false;
    if (this.#silent >= NOBODY_MENTIONED_AFTER) return true;
    if (this.#standing === 'mute' && this.#refusedAlone > 0) return true;
    if (this.#standing === 'judged') return false;
    const left = this.#pending.reduce((sum, group) => sum + group.inputs.length, 0);
    return this.#refusedAlone >= NOTHING_ACCEPTED_AFTER && left > ISOLATION_CALLS;
  }

  /** An innocent half proves the other one guilty, if that has not been asked yet; a guilty half says nothing of it. */
  #judgeSibling(group: Group, innocent: boolean): void {
    const sibling = group.sibling;
    if (!sibling) return;
    delete group.sibling;
    delete sibling.sibling;
    if (!innocent || sibling.inputs.length === 1) return; // alone it is asked all the same, for its own words
    this.#pending = this.#pending.filter(pending => pending !== sibling);
    this.#split(sibling.inputs);
  }

  #split(inputs: readonly number[]): void {
    if (inputs.length === 1) {
      this.#pending.push({ inputs });
      return;
    }
    const middle = Math.ceil(inputs.length / 2);
    const one: Group = { inputs: inputs.slice(0, middle) };
    const other: Group = { inputs: inputs.slice(middle), sibling: one };
    one.sibling = other;
    this.#pending.push(one, other);
  }
}

const largerThan = (one: Group, other: Group) => one.inputs.length > other.inputs.length;
const smallerThan = (one: Group, other: Group) => one.inputs.length < other.inputs.length;
