// What the demo shows while it runs: a few lines drawn over and over on a terminal, a line now and then elsewhere.
import { count, duration, mean } from '../dist/dashboard/figures.js';

const REDRAW_MS = 250;
const LINE_MS = 2_000;
const BAR = 30;

export class Screen {
  #out = process.stdout;
  #live = process.stdout.isTTY === true;
  /** live lines on the terminal, below which the cursor stands */
  #drawn = 0;
  #lastLine = 0;
  everyMs = this.#live ? REDRAW_MS : LINE_MS / 4;

  /** For good, above whatever is live. */
  print(text) {
    this.#erase();
    this.#out.write(`${text}\n`);
  }

  /** @param state accepted, expected, stats (as `stats --json`), elapsedMs, batchMax */
  show(state, isLast = false) {
    if (this.#live) {
      this.#erase();
      const lines = liveLines(state).map(line => line.slice(0, Math.max(20, (this.#out.columns || 80) - 1)));
      this.#out.write(`${lines.join('\n')}\n`);
      this.#drawn = isLast ? 0 : lines.length;
      return;
    }
    const now = Date.now();
    if (!isLast && now - this.#lastLine < LINE_MS) return;
    this.#lastLine = now;
    this.#out.write(`${plainLine(state)}\n`);
  }

  #erase() {
    if (this.#drawn > 0) this.#out.write(`\x1b[${this.#drawn}A\x1b[J`);
    this.#drawn = 0;
  }
}

const seconds = ms => `${(ms / 1_000).toFixed(ms < 100_000 ? 1 : 0)} s`;
const fill = ({ stats, batchMax }) =>
  stats.batches.sent === 0 ? '–' : `${mean((stats.batches.meanInputs / batchMax) * 100)} %`;
const queued = ({ accepted, stats: { associations } }) =>
  Math.max(0, accepted - associations.created - associations.rejected);

function liveLines(state) {
  const { expected, elapsedMs, stats } = state;
  const { associations, calls, quota, batches } = stats;
  const done = (associations.created + associations.rejected) / expected;
  const blocks = Math.round(Math.min(1, done) * BAR);
  const held = quota.holdReason === null ? '' : `  held: ${quota.holdReason}`;
  return [
    '',
    `  ${'█'.repeat(blocks)}${'░'.repeat(BAR - blocks)} ${Math.floor(done * 100)} %   ${seconds(elapsedMs)}`,
    `  created ${count(associations.created)}   rejected ${count(associations.rejected)}   retried ${count(associations.retried)}   queued ${count(queued(state))}`,
    `  calls ${count(calls.total)}   batches ${count(batches.sent)}, ${fill(state)} full on average   quota ${quota.usedInWindow}/${quota.limit} used${held}`,
  ];
}

function plainLine(state) {
  const { elapsedMs, stats } = state;
  const { associations, calls, quota } = stats;
  return [
    seconds(elapsedMs).padStart(7),
    `created ${count(associations.created).padStart(7)}`,
    `rejected ${count(associations.rejected).padStart(3)}`,
    `retried ${count(associations.retried).padStart(5)}`,
    `queued ${count(queued(state)).padStart(7)}`,
    `calls ${count(calls.total).padStart(3)}`,
    `batches ${fill(state)} full`,
    `quota ${quota.usedInWindow}/${quota.limit}`,
    ...(quota.holdReason === null ? [] : [`held: ${quota.holdReason}`]),
  ].join('  ');
}

/** `12.3 s`, or `1 min 5 s` */
export const took = ms => (ms < 60_000 ? seconds(ms) : duration(ms / 1_000));
