/** Monotonic milliseconds, the same in all threads of a process (performance.now() is not). */
export const clock = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;
