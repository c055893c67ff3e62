/**
 * How soon this process collects its garbage. Everything a worker handles lives just longer than V8's young generation, and
 * V8 lets what has died in the old one pile up to four times of what is alive: fast, and 450 MB under full load.
 */
import { setFlagsFromString } from 'node:v8';

/** By how much the heap may grow over what is alive before it is collected; V8 decides by itself otherwise. */
const GROWTH_PERCENT = 50;

/** In all threads of this process, from now on: a third less memory, a third more CPU. */
export function compactHeap(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
