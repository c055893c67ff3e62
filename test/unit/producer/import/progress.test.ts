/** The progress bar of an import: its line, and that it draws on a terminal only. */
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { progressParts, startProgress } from '../../../../src/producer/import/progress.js';

const lineOf = (...given: Parameters<typeof progressParts>): string => {
  const { before, bar, after } = progressParts(...given);
  return before + bar + after;
};

test('with the size known, the line is a bar with share, count and time left', () => {
  const done = { bytes: 1_000, bytesRead: 250, associations: 40, elapsedMs: 10_000 };
  expect(lineOf(done, 100)).toBe(
    `enqueue [${'█'.repeat(10)}${'░'.repeat(30)}] 25% | 40 associations | 30 s left`,
  );
  expect(lineOf({ ...done, bytesRead: 0 }, 100)).toBe(`enqueue [${'░'.repeat(40)}] 0% | 40 associations`);
  expect(lineOf({ ...done, bytesRead: 1_000 }, 100)).toBe(
    `enqueue [${'█'.repeat(40)}] 100% | 40 associations`,
  );
});

test('without a size, the line is a counter with the time so far', () => {
  expect(lineOf({ bytes: undefined, bytesRead: 9, associations: 40, elapsedMs: 150_000 }, 80)).toBe(
    'enqueue | 40 associations | 3 min',
  );
});

test('on a narrow terminal the bar gives way, and the line never wraps', () => {
  const done = { bytes: 1_000, bytesRead: 500, associations: 40, elapsedMs: 10_000 };
  expect(lineOf(done, 50)).toBe('enqueue [███░░░] 50% | 40 associations | 10 s left');
  expect(lineOf(done, 30)).toBe('enqueue 50% | 40 associations ');
  const anything = fc.record({
    bytes: fc.option(fc.nat(), { nil: undefined }),
    bytesRead: fc.nat(),
    associations: fc.nat(),
    elapsedMs: fc.nat(),
  });
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 200 }), (done, columns) => {
      expect(lineOf(done, columns).length).toBeLessThanOrEqual(columns);
    }),
  );
});

function streamOf(isTTY: boolean) {
  const written: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 60 });
  stream.on('data', (chunk: Buffer) => void written.push(chunk.toString()));
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => stripVTControlCharacters(written.join('')),
  };
}

test('off a terminal only printed lines are written', () => {
  const { stream, text } = streamOf(false);
  const progress = startProgress(stream, 100);
  progress.update(50, 1);
  progress.print('line 3: bad\n');
  progress.stop();
  expect(text()).toBe('line 3: bad\n');
});

test('on a terminal a printed line stands above the bar, and the last state stays', () => {
  const { stream, text } = streamOf(true);
  const progress = startProgress(stream, 100);
  progress.update(100, 7);
  progress.print('line 3: bad\n');
  progress.stop();
  const last = text().split('line 3: bad\n').at(-1) ?? '';
  expect(text()).toMatch(/enqueue \[░+\] 0% \| 0 associations/);
  expect(last).toMatch(/█+.*\] 100% \| 7 associations/);
  expect(last.endsWith('\n')).toBe(true);
});
