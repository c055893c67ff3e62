/**
 * Work report: passes the pipeline's calls and batches to the log, the metrics, the totals in Redis and the measurement of
 * this replica's capacity. One log line for each batch. It never waits and never throws.
 */
import type { Logger } from '../../shared/runtime/logger.js';
import type { Batch } from '../batches/batch.js';
import type { DeliveryReport } from '../calls/delivery.js';
import type { Ledger } from '../jobs/ledger.js';
import type { CapacityMeter } from './capacity-meter.js';
import { lateWarning } from './late-warning.js';
import type { WorkerMetrics } from './worker-metrics.js';

export type WorkReportParts = {
  readonly ledger: Pick<Ledger, 'countCall' | 'countBatch'>;
  readonly metrics: Pick<WorkerMetrics, 'call' | 'batch' | 'quotaWait'>;
  readonly capacity: Pick<CapacityMeter, 'call'>;
  /** length of the rolling window */
  readonly windowMs: number;
  readonly logger: Logger;
};

export class WorkReport {
  /** A call was too late for its permit and was not sent. */
  readonly expired: ReturnType<typeof lateWarning>;

  constructor(private readonly parts: WorkReportParts) {
    this.expired = lateWarning(parts.logger, parts.windowMs);
  }

  /** A permit was granted. @param waitMs how long the call waited for it */
  permit(waitMs: number): void {
    this.parts.metrics.quotaWait(waitMs);
  }

  /** A call has ended. @param status HTTP status, or TIMEOUT and the like @param ms duration of the call */
  call(status: string, ms: number): void {
    const { ledger, metrics, capacity } = this.parts;
    ledger.countCall(status);
    metrics.call(status, ms);
    capacity.call(ms);
  }

  /** A batch was delivered. @param ms time since it was sealed */
  batch(batch: Batch, report: DeliveryReport, ms: number): void {
    const { ledger, metrics, logger } = this.parts;
    const { id, fromObjectType, toObjectType, inputs, trigger, waitedMs, high } = batch;
    const { counts, calls, answers } = report;
    const about = { objectPair: `${fromObjectType}/${toObjectType}`, inputs: inputs.size, trigger };
    const took = Math.round(ms);
    ledger.countBatch({ id, ...about, counts, answers, ms: took });
    metrics.batch(batch, report);
    logger.info({
      event: 'batch',
      batch: id,
      ...about,
      ...(high > 0 && { high }),
      ...counts,
      calls,
      waitedMs: Math.round(waitedMs),
      ms: took,
    });
  }
}
