/**
 * The capacity of one replica and the limits in force, as the workers last wrote them to Redis, so that every process
 * reports the same about the queue. Pure. worker/report/capacity-meter.ts measures.
 */
export type Limits = {
  readonly limit: number;
  readonly windowMs: number;
  /** calls; 0 = none */
  readonly dailyLimit: number;
  readonly timeZone: string;
  readonly batchMaxInputs: number;
  readonly maxConcurrentCalls: number;
};
export type Capacity = {
  readonly limits: Limits;
  /** mean duration of the recent calls; undefined: no call yet */
  readonly callMs: number | undefined;
  /** how long the worker's main thread is busy for a call, including all work around it; undefined: not measured yet */
  readonly busyMs: number | undefined;
};

/** @returns the limits of a configuration */
export const limitsOf = (config: {
  readonly rateLimitCalls: number;
  readonly rateLimitWindowMs: number;
  readonly dailyCallLimit: number;
  readonly accountTimezone: string;
  readonly batchMaxInputs: number;
  readonly maxConcurrentCalls: number;
}): Limits => ({
  limit: config.rateLimitCalls,
  windowMs: config.rateLimitWindowMs,
  dailyLimit: config.dailyCallLimit,
  timeZone: config.accountTimezone,
  batchMaxInputs: config.batchMaxInputs,
  maxConcurrentCalls: config.maxConcurrentCalls,
});

/** @param hash written by {@link writeCapacity} @param own used where no worker has written a value */
export function readCapacity(hash: ReadonlyMap<string, string>, own: Limits): Capacity {
  const positive = (name: string) => {
    const value = Number(hash.get(name) ?? Number.NaN);
    return value > 0 ? value : undefined;
  };
  const dailyLimit = hash.get('dailyLimit');
  return {
    limits: {
      limit: positive('limit') ?? own.limit,
      windowMs: positive('windowMs') ?? own.windowMs,
      dailyLimit: dailyLimit === undefined ? own.dailyLimit : Number(dailyLimit),
      timeZone: hash.get('timeZone') ?? own.timeZone,
      batchMaxInputs: positive('batchMaxInputs') ?? own.batchMaxInputs,
      maxConcurrentCalls: positive('maxConcurrentCalls') ?? own.maxConcurrentCalls,
    },
    callMs: positive('callMs'),
    busyMs: positive('busyMs'),
  };
}

/** @returns the fields of the hash; omits values that are not measured, so that older ones stay */
export function writeCapacity({ limits, callMs, busyMs }: Capacity): Record<string, string | number> {
  return {
    ...limits,
    ...(callMs !== undefined && { callMs: Math.round(callMs * 10) / 10 }),
    ...(busyMs !== undefined && { busyMs: Math.round(busyMs * 10) / 10 }),
  };
}
