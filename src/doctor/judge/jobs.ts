/** Judges some queued jobs: whether a worker can read them. Pure. */
import { parseJobData } from '../../shared/contract/job-schema.js';
import { readJson } from '../../shared/contract/json.js';
import type { SampledJob } from '../facts.js';
import { type Finding, ok, warning } from '../finding.js';

/** Ids and faults in the message. */
const MOST_NAMED = 3;

export function judgeJobs(sample: readonly SampledJob[]): Finding {
  if (sample.length === 0) return ok('no job waits');
  const bad = sample.flatMap(({ id, data }) => {
    const checked = parseJobData(data === null ? undefined : readJson(data));
    return checked.ok ? [] : [`${id}: ${checked.faults[0]}`];
  });
  if (bad.length === 0)
    return ok(
      `${sample.length} of the queued jobs ${sample.length === 1 ? 'was read, and has' : 'were read, and have'} valid data`,
    );
  const named = bad.slice(0, MOST_NAMED).join('; ');
  const more = bad.length > MOST_NAMED ? `; and ${bad.length - MOST_NAMED} more` : '';
  return warning(
    `${bad.length} of ${sample.length} queued jobs have data that no worker can read (${named}${more}); they will fail, with their data unchanged`,
    'mend the program that adds them (docs/job.schema.json); then association-queue failures export',
  );
}

/** @returns the object types in the valid jobs of the sample, as they are written there */
export function objectTypesOf(sample: readonly SampledJob[]): string[] {
  const types = sample.flatMap(({ data }) => {
    const checked = parseJobData(data === null ? undefined : readJson(data));
    return checked.ok ? [checked.data.fromObjectType, checked.data.toObjectType] : [];
  });
  return [...new Set(types)].sort();
}
