/** The progress bar on a terminal; elsewhere nothing. */
import cliProgress from 'cli-progress';

export type Progress = {
  update(bytesRead: number, associations: number): void;
  /** a line above the bar */
  print(text: string): void;
  stop(): void;
};

/** @param bytes size of the input; undefined shows a counter instead of a bar */
export function startProgress(stream: NodeJS.WriteStream, bytes: number | undefined): Progress {
  if (!stream.isTTY) return { update() {}, print: text => void stream.write(text), stop() {} };
  const bar = new cliProgress.SingleBar(
    {
      stream,
      format: bytes
        ? 'enqueue [{bar}] {percentage}% | {associations} associations | {eta_formatted} left'
        : 'enqueue | {associations} associations | {duration_formatted}',
      forceRedraw: true, // after a line printed over it
      hideCursor: false,
      gracefulExit: false, // it would take Ctrl-C for itself
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(bytes ?? 0, 0, { associations: 0 });
  return {
    update: (bytesRead, associations) => bar.update(bytes ? bytesRead : 0, { associations }),
    print: text => void stream.write(`\r\x1b[K${text}`),
    stop: () => bar.stop(),
  };
}
