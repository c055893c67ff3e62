/** Streams that are a terminal, or are none. */
import { PassThrough } from 'node:stream';
import { painter } from '../../src/dashboard/terminal/glyphs.js';

export const streamLike = (isTTY: boolean, columns = 80): NodeJS.WriteStream & PassThrough =>
  Object.assign(new PassThrough(), { isTTY, columns }) as unknown as NodeJS.WriteStream & PassThrough;

export const [paint, plain] = [painter(streamLike(true)), painter(streamLike(false))];
