// The demo's display: a few lines that are redrawn on a terminal, or a line from time to time elsewhere.
import { clearScreenDown, moveCursor } from 'node:readline';
import { bar, clip } from '../dist/dashboard/terminal/glyphs.js';
import { count, duration } from '../dist/dashboard/text/figures.js';

const REDRAW_MS = 250;
const LINE_MS = 2_000;
const FILL_OVER_MS = 2_000;
const BAR = 30;

export class Screen {
  #out = process.stdout;
  #live = process.stdout.isTTY === true;
  /** redrawn lines on the terminal, above the cursor */
  #drawn = 0;
  #lastLine = 0;
  #fill = new Fill();
  everyMs = this.#live ? REDRAW_MS : LINE_MS / 4;

  /** Prints permanent text above the redrawn lines. */
  print(text) {
    this.#erase();
    this.#out.write(`${text}\n`);
  }

  /** @param state accepted, expected, allEnqueued, stats (as `stats --json` prints them), elapsedMs, batchMax */
  show(state, isLast = false) {
    const fill = this.#fill.of(state);
    if (this.#live) {
      this.#erase();
      const columns = Math.max(20, (this.#out.columns || 80) - 1);
      const lines = liveLines(state, fill).map(line => clip(line, columns));
      this.#out.write(`${lines.join('\n')}\n`);
      this.#drawn = isLast ? 0 : lines.length;
      return;
    }
    const now = Date.now();
    if (!isLast && now - this.#lastLine < LINE_MS) return;
    this.#lastLine = now;
    this.#out.write(`${plainLine(state, fill)}\n`);
  }

  #erase() {
    if (this.#drawn > 0) {
      moveCursor(this.#out, 0, -this.#drawn);
      clearScreenDown(this.#out);
    }
    this.#drawn = 0;
  }
}

const seconds = ms => `${(ms / 1_000).toFixed(ms < 100_000 ? 1 : 0)} s`;
const queued = ({ accepted, stats: { associations } }) =>
  Math.max(0, accepted - associations.created - associations.rejected);

/** Fill of the batches of the last two seconds. The overall mean would hide that batches are full until only suspects are left. */
class Fill {
  #samples = [];
  #said = '–';

  of({ stats: { batches }, elapsedMs, batchMax }) {
    this.#samples.push({ sent: batches.sent, inputs: batches.sent * batches.meanInputs, elapsedMs });
    while (this.#samples.length > 2 && this.#samples[1].elapsedMs <= elapsedMs - FILL_OVER_MS)
      this.#samples.shift();
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (last.sent > first.sent) {
      const percent = ((last.inputs - first.inputs) / (last.sent - first.sent) / batchMax) * 100;
      this.#said = `${percent < 10 ? percent.toFixed(1) : Math.min(100, Math.round(percent))} %`;
    }
    return this.#said;
  }
}

/** @returns what happens at the moment, in a few words */
function phase({ allEnqueued, stats: { jobs, quota } }) {
  if (quota.holdReason !== null) return `all calls are held: ${quota.holdReason}`;
  if (allEnqueued && jobs.waiting === 0)
    return 'finding the bad ones: suspects are sent in smaller and smaller batches';
  return '';
}

function liveLines(state, fill) {
  const { expected, elapsedMs, stats } = state;
  const { associations, calls, quota } = stats;
  const done = (associations.created + associations.rejected) / expected;
  const percent = Math.floor(done * 1_000) / 10;
  return [
    '',
    `  ${bar(done, BAR).join('')} ${percent.toFixed(1)} %   ${seconds(elapsedMs)}`,
    `  created ${count(associations.created)}   rejected ${count(associations.rejected)}   retried ${count(associations.retried)}   queued ${count(queued(state))}`,
    `  calls ${count(calls.total)}   batches ${fill} full   quota used ${quota.usedInWindow}/${quota.limit}`,
    `  ${phase(state)}`,
  ];
}

function plainLine(state, fill) {
  const { elapsedMs, stats } = state;
  const { associations, calls, quota } = stats;
  return [
    seconds(elapsedMs).padStart(7),
    `created ${count(associations.created).padStart(7)}`,
    `rejected ${count(associations.rejected).padStart(3)}`,
    `retried ${count(associations.retried).padStart(5)}`,
    `queued ${count(queued(state)).padStart(7)}`,
    `calls ${count(calls.total).padStart(3)}`,
    `batches ${fill.padStart(5)} full`,
    `quota ${String(quota.usedInWindow).padStart(3)}/${quota.limit}`,
    phase(state),
  ]
    .join('  ')
    .trimEnd();
}

/** `12.3 s`, or `1 min 5 s` */
export const took = ms => (ms < 60_000 ? seconds(ms) : duration(ms / 1_000));
