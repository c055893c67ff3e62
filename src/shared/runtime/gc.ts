/**
 * Makes this process collect garbage sooner. Its objects live slightly longer than V8's young generation, and V8 lets
 * garbage in the old generation grow to four times the live heap. Measured: a worker under full load takes 210 MB instead
 * of 270 and two fifths more CPU; the import of a million lines takes 149 MB instead of 250, in the same time.
 */
import { setFlagsFromString } from 'node:v8';

/** How far the heap may grow above the live objects before it is collected; without it V8 decides. */
const GROWTH_PERCENT = 50;

/** Takes effect in all threads of this process, from now on. */
export function compactHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
