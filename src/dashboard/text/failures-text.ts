/** The output of the failures commands. Pure. */

import { didYouMean, meant } from '../../shared/contract/did-you-mean.js';
import { harmless } from '../../shared/runtime/text.js';
import { INVALID_JOB } from '../../shared/state/rejection-groups.js';
import { type FailureGroup, type FailureSummary, VARIOUS } from '../failures/failure-groups.js';
import type { Discarded, Exported, Retried } from '../failures/failures.js';
import { aligned, count, counted, moment } from './figures.js';

const associations = (value: number): string => counted(value, 'association');
const jobs = (value: number): string => counted(value, 'job');

/** Describes the content of some jobs, because jobs with unreadable data have no number of associations. */
const held = (total: number, jobCount: number): string =>
  total === 0 && jobCount > 0
    ? `${jobs(jobCount)} without associations that can be read`
    : `${associations(total)} in ${jobs(jobCount)}`;

/**
 * Why nothing matches: no rejection has the category that was asked for.
 * @param categories of the rejections that match apart from it @returns '' if that is not the reason
 */
export function unknownCategoryText(category: string | undefined, categories: readonly string[]): string {
  if (category === undefined || categories.length === 0) return '';
  if (categories.some(each => each.toUpperCase() === category.toUpperCase())) return '';
  const others = categories.length > CATEGORIES ? ', …' : '';
  const known = `; there are ${categories.slice(0, CATEGORIES).join(', ')}${others}`;
  const nearest = didYouMean(meant(category, categories));
  return harmless(`no rejection has the category ${category}${nearest || known}`);
}
/** Most categories that are named. */
const CATEGORIES = 10;

/** @param why a text without its end, or '' */
const nothing = (what: string, why: string): string =>
  why === '' ? `${what}.` : `${what}: ${why}${why.endsWith('?') ? '' : '.'}`;

/**
 * One row per error, with the message and an example below it.
 * @param isFiltered only some rejections were asked for @param why nothing matches, if that is known
 */
export function listText(
  { associations: total, jobs: jobCount, groups }: FailureSummary,
  isFiltered = false,
  why = '',
): string {
  if (groups.length === 0)
    return nothing(isFiltered ? 'No rejected association matches' : 'No rejected associations', why);
  const heads = aligned(
    [
      ['associations', 'error', 'object pair', 'first seen', 'last seen'],
      ...groups.map(group => [
        group.category === INVALID_JOB ? '–' : count(group.associations),
        group.category,
        objectPairText(group),
        moment(Date.parse(group.firstSeen)),
        moment(Date.parse(group.lastSeen)),
      ]),
    ],
    new Set([0]),
  );
  return [
    heads[0] ?? '',
    ...groups.flatMap((group, at) => [
      heads[at + 1] ?? '',
      ...details(group).map(line => `${' '.repeat(14)}${line}`),
      '',
    ]),
    `${held(total, jobCount)}. Next: association-queue failures export, retry or discard; --category, --from, --to, --request and --source choose among them.`,
  ]
    .map(harmless) // ids, categories and object types are foreign text as well
    .join('\n');
}

const objectPairText = ({ fromObjectType, toObjectType }: FailureGroup): string =>
  fromObjectType === VARIOUS && toObjectType === VARIOUS ? 'various' : `${fromObjectType} → ${toObjectType}`;

function details({ category, message, jobs: jobCount, example }: FailureGroup): string[] {
  const { from, to, error, jobId } = example;
  const correlation = error.correlationId === undefined ? '' : `, correlation id ${error.correlationId}`;
  if (category === INVALID_JOB || from === undefined)
    return [
      oneLine(message),
      `${jobs(jobCount)} without associations that can be read, for example job ${jobId}${error.message === message ? '' : `: ${oneLine(error.message, EXAMPLE)}`}`,
    ];
  const words = message === VARIOUS ? `various words, such as: ${error.message}` : message;
  // the words above omit its ids, and the text in the place of an id often explains the error
  const said = error.message === words || message === VARIOUS ? '' : `: ${oneLine(error.message, EXAMPLE)}`;
  return [oneLine(words), `for example ${from} → ${to} (job ${jobId}${correlation})${said}`];
}

export function retryText(
  { jobs: jobCount, associations: asked, alongside, gone }: Retried,
  why = '',
): string {
  if (jobCount === 0) return `${nothing('Nothing to retry', why)}${goneText(gone)}`;
  const others =
    alongside > 0
      ? ` ${associations(alongside)} with other errors came along: a job is retried as a whole, and what is still wrong is rejected again.`
      : '';
  return `Put back to be tried again: ${held(asked, jobCount)}.${others}${goneText(gone)}`;
}

export function exportText({ associations: total, jobs: jobCount, unreadable }: Exported, why = ''): string {
  const left =
    unreadable > 0
      ? ` ${jobs(unreadable)} copied as text: the data cannot be read, and enqueue refuses these lines (see: association-queue failures list --category ${INVALID_JOB}).`
      : '';
  if (total === 0 && unreadable === 0) return nothing('nothing to export', why);
  return `exported ${associations(total)} of ${jobs(jobCount)}.${left}`;
}

export function discardText(
  { associations: total, jobsRemoved, jobsShrunk, gone }: Discarded,
  why = '',
): string {
  if (jobsRemoved + jobsShrunk === 0) return `${nothing('Nothing to discard', why)}${goneText(gone)}`;
  const kept = jobsShrunk > 0 ? `; ${jobs(jobsShrunk)} kept for the other rejected associations in them` : '';
  if (total === 0) return `Discarded ${held(total, jobsRemoved + jobsShrunk)}.${goneText(gone)}`;
  return `Discarded ${associations(total)}: ${jobs(jobsRemoved)} removed${kept}.${goneText(gone)}`;
}

export const discardQuestion = ({ associations: total, jobs: jobCount }: FailureSummary): string =>
  `Discard ${held(total, jobCount)} for good? (export keeps a copy) Type y or yes: `;
export const meansYes = (answer: string): boolean => /^y(es)?$/i.test(answer.trim());
export const NOT_DISCARDED = 'Nothing was discarded: only the answer y or yes discards.';

const goneText = (gone: number): string =>
  gone > 0 ? ` ${jobs(gone)} left alone: somebody else retried or removed them meanwhile.` : '';

/** Messages are foreign text: removes line breaks and limits the length. */
const oneLine = (message: string, most = 200): string => {
  const line = harmless(message).replace(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};
/** Longest message of an example, in characters. */
const EXAMPLE = 2_000;
