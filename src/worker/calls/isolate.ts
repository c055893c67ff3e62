/**
 * Isolation: which group of inputs to send next, so that a few bad inputs are found among many good ones. Pure.
 *
 * Group testing by halving. A half that HubSpot accepts proves that the other half contains the bad input; the search splits
 * that half without sending it again. One bad input in 2,000 costs 17 calls on average and 23 at most after the refused
 * call. Until HubSpot accepts something, the search goes for the smallest group, to learn soon whether anything is
 * acceptable at all. After that the largest group goes first, which clears most good inputs per call. The number of calls is
 * bounded: inputs that are still suspects come back later, in smaller batches.
 */
/** Most calls for halving one batch, after the refused call. */
export const ISOLATION_CALLS = 24;
/** Most refusals in a row that name inputs and accept none; they do not count as calls for halving. */
const NAMING_CALLS = 100;
/** If this many inputs were refused alone and none accepted, their object pair is the cause and not each of them. */
const NOTHING_ACCEPTED_AFTER = 3;
/** The same after this many accepted calls that mention no input. */
const NOBODY_MENTIONED_AFTER = 2;

/**
 * What is known about the object pair before the search.
 * mute: the refusal accuses no input, and one more input that is refused alone suffices to hold the object pair ·
 * unproven: HubSpot has recently neither accepted nor named an input of it · judged: it has, so single inputs are invalid
 */
export type Standing = 'mute' | 'unproven' | 'judged';

type Group = {
  readonly inputs: readonly number[];
  /** the other half of the same bad group, until one of the two has been sent */
  sibling?: Group;
};

export class Isolation {
  #pending: Group[];
  #standing: Standing | undefined;
  #current: Group | undefined;
  #calls = 0;
  #accepted = 0;
  #refusedAlone = 0;
  /** calls in a row that named inputs and accepted none */
  #naming = 0;
  #reports = 0;
  /** accepted calls for several inputs without effect, as long as no call had an effect */
  #silent = 0;

  /** @param standing if the object pair is in doubt, single inputs are sent before anything is halved */
  constructor(inputs: readonly number[], standing?: Standing) {
    this.#standing = standing;
    this.#pending = [{ inputs }];
  }

  /** @returns the inputs to send next; undefined if no input or no call is left */
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
   * Takes the result of the call for the current group.
   * @param found.accepted how many of its inputs were created
   * @param found.named how many inputs an error named: they explain the refusal, which proves no other input invalid
   * @param found.rest inputs to send again at once
   * @param found.suspects inputs of which at least one is invalid
   * @param found.allGuilty every suspect is invalid
   * @param found.isSilent the call was accepted and mentions no input
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
    // a call that settled inputs by name does not count
    if (found.named === 0) this.#calls += 1;
    this.#judgeSibling(group, found.named === 0 && found.suspects.length === 0 && found.rest.length === 0);
    if (found.rest.length > 0) this.#pending.push({ inputs: found.rest });
    if (found.suspects.length === 0) return;
    if (found.suspects.length === 1 && group.inputs.length > 1)
      this.#pending.push({ inputs: found.suspects });
    else if (found.allGuilty) for (const input of found.suspects) this.#pending.push({ inputs: [input] });
    else this.#split(found.suspects);
  }

  /** The current group was a single input, and its refusal settles it. */
  reportAlone(): void {
    const group = this.#current;
    if (!group) throw new Error('report without a call: next() was not asked');
    this.#current = undefined;
    this.#calls += 1;
    this.#refusedAlone += 1;
    this.#judgeSibling(group, false);
  }

  /** Halves a group that is too large for one call (413). Neither half is suspected. */
  reportTooLarge(): void {
    const group = this.#current;
    if (!group) throw new Error('report without a call: next() was not asked');
    this.#current = undefined;
    const middle = Math.ceil(group.inputs.length / 2);
    this.#calls -= 1; // the split adds one group to send
    this.#judgeSibling(group, false);
    this.#pending.push({ inputs: group.inputs.slice(0, middle) }, { inputs: group.inputs.slice(middle) });
  }

  /** Bad inputs are often neighbours: before the search gives up, it sends single inputs from the largest groups. */
  #probeElsewhere(): readonly number[] {
    const largest = this.#pending.reduce((best, group) => (largerThan(group, best) ? group : best));
    this.#pending = this.#pending.filter(group => group !== largest);
    if (largest.sibling) delete largest.sibling.sibling;
    const middle = largest.inputs.length >> 1;
    if (largest.inputs.length > 1) this.#pending.push({ inputs: largest.inputs.toSpliced(middle, 1) });
    this.#current = { inputs: largest.inputs.slice(middle, middle + 1) };
    return this.#current.inputs;
  }

  /** @returns inputs without an outcome, including the current group */
  get unresolved(): number[] {
    return [...(this.#current?.inputs ?? []), ...this.#pending.flatMap(group => group.inputs)];
  }

  get hasAccepted(): boolean {
    return this.#accepted > 0;
  }

  /** @returns true if HubSpot accepted nothing, however small: the object pair with these types is the cause */
  get isHopeless(): boolean {
    if (this.#accepted > 0) return false;
    if (this.#silent >= NOBODY_MENTIONED_AFTER) return true;
    if (this.#standing === 'mute' && this.#refusedAlone > 0) return true;
    if (this.#standing === 'judged') return false;
    const left = this.#pending.reduce((sum, group) => sum + group.inputs.length, 0);
    return this.#refusedAlone >= NOTHING_ACCEPTED_AFTER && left > ISOLATION_CALLS;
  }

  /** A good half proves that the other half is bad, if that has not been sent yet. A bad half proves nothing about the other. */
  #judgeSibling(group: Group, innocent: boolean): void {
    const sibling = group.sibling;
    if (!sibling) return;
    delete group.sibling;
    delete sibling.sibling;
    if (!innocent || sibling.inputs.length === 1) return; // a single input is sent all the same, to get HubSpot's words about it
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
