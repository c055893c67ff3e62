/**
 * The progress bar of an import. It draws only on a terminal; elsewhere it writes only the printed lines.
 * It knows neither files nor associations: the import reports its progress.
 */
import { clearLine, cursorTo } from 'node:readline';
import { styleText } from 'node:util';
import { counted } from '../../shared/contract/counted.js';
import { duration } from '../../shared/runtime/duration.js';

export type Progress = {
  update(bytesRead: number, associations: number): void;
  /** Writes a line above the bar. */
  print(text: string): void;
  stop(): void;
};
type Done = {
  /** size of the input; undefined if unknown */
  readonly bytes: number | undefined;
  readonly bytesRead: number;
  readonly associations: number;
  readonly elapsedMs: number;
};

const REDRAW_MS = 100;
const WIDEST_BAR = 40;

/** @param bytes size of the input; undefined shows a counter instead of a bar */
export function startProgress(stream: NodeJS.WriteStream, bytes: number | undefined): Progress {
  if (!stream.isTTY) return { update() {}, print: text => void stream.write(text), stop() {} };
  const startedAt = performance.now();
  let [bytesRead, associations] = [0, 0];
  const draw = () => {
    const elapsedMs = performance.now() - startedAt;
    const parts = progressParts({ bytes, bytesRead, associations, elapsedMs }, (stream.columns || 80) - 1);
    cursorTo(stream, 0);
    stream.write(parts.before + styleText('cyan', parts.bar, { stream }) + parts.after);
    clearLine(stream, 1);
  };
  const redraw = setInterval(draw, REDRAW_MS).unref();
  draw();
  return {
    update(nowRead, nowAssociations) {
      [bytesRead, associations] = [nowRead, nowAssociations];
    },
    print(text) {
      cursorTo(stream, 0);
      clearLine(stream, 1);
      stream.write(text);
      draw();
    },
    stop() {
      clearInterval(redraw);
      draw();
      stream.write('\n');
    },
  };
}

/** Pure. @returns the line in three parts, together at most `columns` wide: the bar gives way to the figures */
export function progressParts(
  { bytes, bytesRead, associations, elapsedMs }: Done,
  columns: number,
): { before: string; bar: string; after: string } {
  if (!bytes) {
    const text = `enqueue | ${counted(associations, 'association')} | ${duration(elapsedMs)}`;
    return { before: text.slice(0, columns), bar: '', after: '' };
  }
  const share = Math.min(1, bytesRead / bytes);
  const left = share > 0 ? ` | ${duration((elapsedMs / share) * (1 - share))} left` : '';
  const figures = ` ${Math.floor(share * 100)}% | ${counted(associations, 'association')}${share < 1 ? left : ''}`;
  const length = Math.min(WIDEST_BAR, columns - 'enqueue []'.length - figures.length);
  if (length < 1) return { before: `enqueue${figures}`.slice(0, columns), bar: '', after: '' };
  const full = Math.round(share * length);
  return {
    before: 'enqueue [',
    bar: '█'.repeat(full) + '░'.repeat(length - full),
    after: `]${figures}`,
  };
}
