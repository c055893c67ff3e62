/**
 * Arrivals: tells when the next jobs that are fetched have been submitted. Pure. They are counted when they are fetched,
 * whichever they are: another replica may have been quicker with those that were meant.
 */
export class Arrivals {
  readonly complete: Promise<void>;
  #resolve = () => {};
  /** fetched, not submitted */
  readonly #open = new Set<string>();

  /** @param left jobs that are still to be fetched */
  constructor(private left: number) {
    this.complete = new Promise(resolve => {
      this.#resolve = resolve;
    });
  }

  fetched(jobId: string): void {
    if (this.left === 0) return;
    this.left -= 1;
    this.#open.add(jobId);
  }

  /** Submitted, or ended without it. */
  submitted(jobId: string): void {
    this.#open.delete(jobId);
    this.#check();
  }

  /** Nothing more waits in Redis. */
  noMore(): void {
    this.left = 0;
    this.#check();
  }

  #check(): void {
    if (this.left === 0 && this.#open.size === 0) this.#resolve();
  }
}
