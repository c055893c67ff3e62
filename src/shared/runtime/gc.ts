/**
 * How soon this process collects its garbage. What it handles lives just longer than V8's young generation, and V8 lets what
 * has died in the old one pile up to four times of what is alive. Measured: a worker under full load 210 MB instead of
 * 270, for two fifths more CPU; the import of a million lines 149 MB instead of 250, in the same time.
 */
import { setFlagsFromString } from 'node:v8';

/** By how much the heap may grow over what is alive before it is collected; V8 decides by itself otherwise. */
const GROWTH_PERCENT = 50;

/** In all threads of this process, from now on. */
export function compactHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
