/**
 * The pipeline of a replica, from a job in the queue to HubSpot's answer and back: intake → processor → lanes →
 * dispatcher → gate → delivery. This file connects the stages, and the arrows point one way: the dispatcher drives, and no
 * stage knows the dispatcher. Two notifiers wake waiting stages: `work` the dispatcher, `room` the intake.
 *
 * It needs neither Redis nor a thread: its parts hide both, in tests as in main.ts.
 */
import type { Quota } from '../hubspot/quota.js';
import { Turnstile } from '../hubspot/turnstile.js';
import { requestOfJob } from '../shared/contract/keys.js';
import type { Config } from '../shared/runtime/config.js';
import type { Logger } from '../shared/runtime/logger.js';
import { Notifier } from '../shared/runtime/wait.js';
import { Lanes } from './batches/lanes.js';
import { TAKEN_BACK } from './batches/outcome.js';
import { Delivery, type DeliveryParts } from './calls/delivery.js';
import { Evidence } from './calls/evidence.js';
import { Gate } from './calls/gate.js';
import { Searches } from './calls/searches.js';
import type { CallReport } from './calls/sending.js';
import { type BatchReport, Dispatcher, type DispatcherParts } from './dispatcher.js';
import { Flow, flowLimits, type Share } from './flow.js';
import { Intake, type JobSource } from './jobs/intake.js';
import type { JobEndParts } from './jobs/job-end.js';
import { Processor } from './jobs/processor.js';
import type { PipelineState } from './report/pipeline-state.js';
import type { WorkTracing } from './report/work-tracing.js';

export type PipelineSettings = Pick<
  Config,
  | 'batchLingerMs'
  | 'batchMaxInputs'
  | 'jobAttempts'
  | 'jobLockMs'
  | 'maxConcurrentCalls'
  | 'rateLimitWindowMs'
  | 'retryBackoffMs'
  | 'unavailablePatienceHours'
>;

export type PipelineParts = {
  readonly settings: PipelineSettings;
  /** id of the replica, which makes the names of its batches unique */
  readonly replica: string;
  readonly queue: JobSource & JobEndParts['queue'];
  readonly ledger: JobEndParts['ledger'];
  readonly quota: DispatcherParts['quota'] & DeliveryParts['quota'] & Pick<Quota, 'ask' | 'lookAgain'>;
  readonly caller: DeliveryParts['caller'];
  /** ids of requests that people take back (operators.ts); empty nearly always */
  readonly cancelled: ReadonlySet<string>;
  readonly token: { readonly renew: DeliveryParts['renewToken'] };
  readonly report: CallReport & BatchReport & { permit(waitMs: number): void };
  /** absent if traces are off */
  readonly traces?: Pick<WorkTracing, 'job' | 'batch' | 'call'> | undefined;
  readonly logger: Logger;
};

export type Pipeline = {
  readonly intake: Intake;
  readonly dispatcher: Dispatcher;
  /** Reports what this replica may fetch beside the others. */
  readonly shared: (share: Share) => void;
  /** Gives back what is in memory of cancelled requests and is in no sealed batch. */
  readonly giveBackCancelled: () => void;
  readonly state: () => PipelineState;
};

export function createPipeline(parts: PipelineParts): Pipeline {
  const { settings, queue, quota, report, traces, logger } = parts;
  const now = () => performance.now();
  const work = new Notifier();
  const room = new Notifier();

  const limits = flowLimits(settings);
  const lanes = new Lanes({ maxInputs: settings.batchMaxInputs, now, replica: parts.replica });
  const searches = new Searches(limits.batches, room);
  const flow = new Flow(limits, [lanes, searches]);

  const intake = new Intake({ source: queue, flow, room, work, lockMs: settings.jobLockMs, logger });
  const processor = new Processor({
    ...{ queue, ledger: parts.ledger, onEnd: intake.ended, traces, logger },
    policy: {
      maxAttempts: settings.jobAttempts,
      patienceHours: settings.unavailablePatienceHours,
      backoffMs: settings.retryBackoffMs,
    },
  });

  const turnstile = new Turnstile(quota, ms => report.permit(ms));
  const { maxConcurrentCalls } = settings;
  const gate = new Gate({ quota, turnstile, maxConcurrentCalls, searches, flow, work });
  const delivery = new Delivery({
    ...{ caller: parts.caller, quota, gate, searches, report, traces, logger },
    evidence: new Evidence(now),
    windowMs: settings.rateLimitWindowMs,
    renewToken: parts.token.renew,
  });
  const dispatcher = new Dispatcher({
    ...{ intake, processor, lanes, flow, quota, gate, delivery, work, report, logger },
    cancelled: parts.cancelled,
  });
  const giveBackCancelled = () => {
    dispatcher.giveBackCancelled();
    intake.giveBack(jobId => parts.cancelled.has(requestOfJob(jobId)), TAKEN_BACK.forMs);
  };

  const shared = (share: Share) => {
    flow.shared(share);
    intake.lookForRoom();
    if (flow.isStandby) work.notify(); // partial batches need not wait any longer
  };

  const state = () => ({
    ...{ isRunning: intake.isRunning, isStopping: intake.isStopping, isHeld: turnstile.isHeld },
    ...{ isStandby: flow.isStandby, isStretched: flow.isStretched },
    ...{ jobs: flow.jobs, associations: flow.associations, unbatched: lanes.size, inFlight: gate.inFlight },
    ...{ search: searches.report(lanes.suspects), fetching: intake.fetching },
  });
  return { intake, dispatcher, shared, giveBackCancelled, state };
}
