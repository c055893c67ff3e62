/**
 * What one replica can do, and the limits it works under, as the workers have last said it in Redis: so that every
 * process, a worker or not, tells the same of the queue. Pure; who measures is worker/capacity.ts.
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
  /** how long HubSpot takes to answer, mean of the recent calls; undefined: nobody has called yet */
  readonly callMs: number | undefined;
  /** how long a call keeps the worker's thread busy, everything around it included; undefined: not measured yet */
  readonly busyMs: number | undefined;
};

/** The limits among the settings. */
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

/** @param hash as {@link writeCapacity} wrote it; @param own what holds where no worker has said anything */
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

/** Fields of the hash; what has not been measured is left as it stands. */
export function writeCapacity({ limits, callMs, busyMs }: Capacity): Record<string, string | number> {
  return {
    ...limits,
    ...(callMs !== undefined && { callMs: Math.round(callMs * 10) / 10 }),
    ...(busyMs !== undefined && { busyMs: Math.round(busyMs * 10) / 10 }),
  };
}
