/**
 * `enqueue --dry-run`: reads the whole file as an import does and says what would be enqueued. It enqueues nothing,
 * and asks Redis and HubSpot only for labels, and for the unlabelled types of custom objects.
 */
import type { TypesOf } from '../../labels/type-resolver.js';
import { typeWarnings } from '../../labels/type-warnings.js';
import { type AssociationType, typeText } from '../../shared/contract/association.js';
import { ConfigError, messageOf } from '../../shared/contract/errors.js';
import { quote } from '../../shared/contract/record-id.js';
import { standardHome } from '../../shared/contract/standard-types.js';
import type { ImportReport } from './import-file.js';
import type { Reading } from './line.js';
import { type CallLimits, callsText, type Kind, Tally } from './plan.js';
import { readAssociations } from './read-associations.js';
import type { Source } from './source.js';

/** Most combinations of object pair and types that are listed. */
const MAX_KINDS = 20;

export type DryRun = {
  /** for stdout */
  readonly texts: readonly string[];
  readonly warnings: readonly string[];
  /** true: everything could be enqueued */
  readonly isClean: boolean;
};

/** @throws ConfigError if the whole input is unusable */
export async function dryRun(
  source: Source,
  reading: Reading,
  typesOf: TypesOf,
  report: ImportReport,
  limits: CallLimits,
): Promise<DryRun> {
  const tally = new Tally();
  const names = new TypeNames(typesOf);
  let refused = 0;
  let lastLine = 0;
  let stopped: string | undefined;
  try {
    const events = {
      usable: async (...said: Parameters<ImportReport['usable']>) => report.usable(...said),
      ended: (notes: readonly string[]) => report.noted(notes),
    };
    for await (const chunk of readAssociations(source, reading, names.typesOf, events)) {
      tally.add(chunk);
      refused += chunk.refusals.length;
      report.refused(chunk.refusals);
      report.progress(chunk.bytesRead, tally.associations);
      lastLine = chunk.upTo;
    }
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    stopped = `stopped after line ${lastLine}: ${messageOf(error)}`;
  }
  const kinds = tally.kinds();
  return {
    texts: [
      `dry run${stopped === undefined ? '' : ` up to line ${lastLine}`}: nothing is enqueued`,
      `${tally.associations} associations in ${tally.lines} lines (${refused} lines refused)`,
      ...kinds.slice(0, MAX_KINDS).map(kind => names.describe(kind)),
      ...(kinds.length > MAX_KINDS ? [`and ${kinds.length - MAX_KINDS} more combinations of types`] : []),
      callsText(tally.calls(limits), limits),
    ],
    warnings: [...new Set(kinds.flatMap(typeWarnings)), ...(stopped === undefined ? [] : [stopped])],
    isClean: refused === 0 && stopped === undefined,
  };
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
    return `${kind.fromObjectType} → ${kind.toObjectType}, ${types}: ${kind.associations} associations`;
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
