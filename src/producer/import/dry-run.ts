/**
 * `enqueue --dry-run`: reads the whole file as an import does and says what would be enqueued. It enqueues nothing. It asks
 * Redis whether the file was enqueued before, and does without an answer; it asks Redis and HubSpot for labels, and for the
 * unlabelled types of custom objects.
 */
import path from 'node:path';
import type { TypesOf } from '../../labels/type-resolver.js';
import { typeWarnings } from '../../labels/type-warnings.js';
import { type AssociationType, typeText } from '../../shared/contract/association.js';
import { counted } from '../../shared/contract/counted.js';
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import { quote } from '../../shared/contract/record-id.js';
import { standardHome } from '../../shared/contract/standard-types.js';
import type { FileProducer } from '../producer.js';
import type { ImportReport } from './import-file.js';
import type { Reading } from './line.js';
import { type CallLimits, callsText, type Kind, Tally } from './plan.js';
import { type FileUnderstanding, type ReadingEvents, readAssociations } from './read-associations.js';
import { fileHash, sameFileText, typesOfOthers } from './same-file.js';
import { type Source, sha256Of } from './source.js';

/** Most combinations of object pair and types that are listed. */
const MAX_KINDS = 20;

export type DryRunJob = {
  readonly source: Source;
  readonly reading: Reading;
  /** path, or `-` */
  readonly file: string;
  /** --again */
  readonly again: boolean;
  readonly limits: CallLimits;
  /** aborted with a text for people */
  readonly signal: AbortSignal;
};
export type DryRun = {
  /** for stdout */
  readonly texts: readonly string[];
  readonly warnings: readonly string[];
  /** true: everything could be enqueued */
  readonly isClean: boolean;
  /** true: it ended early */
  readonly isStopped: boolean;
};

/** @throws ConfigError if the whole input is unusable */
export async function dryRun(
  job: DryRunJob,
  producer: Pick<FileProducer, 'typesOf' | 'follower'>,
  report: ImportReport,
): Promise<DryRun> {
  const { source, reading, limits, signal } = job;
  let earlier: ReturnType<typeof earlierImport> | undefined;
  const tally = new Tally();
  const names = new TypeNames(producer.typesOf);
  let refused = 0;
  let lastLine = 0;
  let stopped: string | undefined;
  try {
    const events = {
      usable: async (...[warnings, layout, understood]: Parameters<ReadingEvents['usable']>) => {
        report.usable(warnings, layout);
        earlier = earlierImport(job, understood, producer);
      },
      ended: (notes: readonly string[]) => report.noted(notes),
    };
    for await (const chunk of readAssociations(source, reading, names.typesOf, events)) {
      tally.add(chunk);
      refused += chunk.refusals.length;
      report.refused(chunk.refusals);
      report.progress(chunk.bytesRead, tally.associations);
      lastLine = chunk.upTo;
      if (signal.aborted) break;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    stopped = messageOf(error);
  }
  if (signal.aborted) stopped = String(signal.reason);
  const kinds = tally.kinds();
  const before = await earlier;
  return {
    texts: [
      `dry run${stopped === undefined ? '' : ` up to line ${lastLine}`}: nothing is enqueued`,
      `${counted(tally.associations, 'association')} in ${counted(tally.lines, 'line')} (${counted(refused, 'line')} refused)`,
      ...kinds.slice(0, MAX_KINDS).map(kind => names.describe(kind)),
      ...(kinds.length > MAX_KINDS
        ? [`and ${counted(kinds.length - MAX_KINDS, 'more combination', 'more combinations')} of types`]
        : []),
      callsText(tally.calls(limits), limits),
    ],
    warnings: [
      ...new Set(kinds.flatMap(typeWarnings)),
      ...(before ? [before.text] : []),
      ...(stopped === undefined ? [] : [`stopped after line ${lastLine}: ${stopped}`]),
    ],
    isClean: refused === 0 && !before?.isRefused,
    isStopped: stopped !== undefined,
  };
}

/** What Redis knows of the same file, understood in the same way. Never rejects: a dry run needs no Redis. */
async function earlierImport(
  { source, reading, file, again }: DryRunJob,
  understood: FileUnderstanding,
  { follower, typesOf }: Pick<FileProducer, 'follower' | 'typesOf'>,
): Promise<{ readonly text: string; readonly isRefused: boolean } | undefined> {
  if (file === '-') return undefined; // only a file is recognised
  try {
    const { format } = source;
    const [sha256, types] = await Promise.all([sha256Of(source), typesOfOthers(understood, typesOf)]);
    const view = await follower.ofFile(fileHash({ sha256, format, reading, understood, types }));
    return view && { text: sameFileText(path.resolve(file), view, again), isRefused: !again };
  } catch (error) {
    return {
      text: `nobody knows whether the file was enqueued before: ${messageOf(error)}`,
      isRefused: false,
    };
  }
}

/** The names of types: HubSpot's own from its guide, labels from the lines that name them. */
class TypeNames {
  readonly #names = new Map<string, string>();
  readonly typesOf: TypesOf;

  constructor(typesOf: TypesOf) {
    this.typesOf = wish => {
      const answer = typesOf(wish);
      const noted = (resolved: Awaited<typeof answer>) => {
        const type = resolved.types?.[wish.types?.length ?? 0];
        if (type)
          this.#names.set(nameKey(wish, type), wish.label === undefined ? 'unlabelled' : quote(wish.label));
        return resolved;
      };
      return answer instanceof Promise ? answer.then(noted) : noted(answer);
    };
  }

  /** `contacts → companies, HUBSPOT_DEFINED:279 (unlabelled): 120 associations` */
  describe(kind: Kind): string {
    const types = kind.types.map(type => `${typeText(type)}${this.#name(kind, type)}`).join(' + ');
    return `${kind.fromObjectType} → ${kind.toObjectType}, ${types}: ${counted(kind.associations, 'association')}`;
  }

  #name(kind: Kind, type: AssociationType): string {
    const home =
      type.associationCategory === 'HUBSPOT_DEFINED' ? standardHome(type.associationTypeId) : undefined;
    const standard = home && (home.label === null ? 'unlabelled' : quote(home.label));
    const name = this.#names.get(nameKey(kind, type)) ?? standard;
    return name === undefined ? '' : ` (${name})`;
  }
}

const nameKey = (pair: Pick<Kind, 'fromObjectType' | 'toObjectType'>, type: AssociationType): string =>
  `${pair.fromObjectType} ${pair.toObjectType} ${typeText(type)}`;
