/** Judges the installed release of BullMQ: whether the worker may use its quick way (src/bullmq/README.md). Pure. */
import { type Finding, ok, warning } from '../finding.js';

export type BullmqFacts = {
  /** installed */
  readonly version: string;
  readonly isKnown: boolean;
  /** releases that the worker knows, the oldest first */
  readonly known: readonly string[];
};

export const judgeBullmq = ({ version, isKnown, known }: BullmqFacts): Finding =>
  isKnown
    ? ok(`BullMQ ${version} is a release that the worker knows`)
    : warning(
        `BullMQ ${version} is a release that the worker does not know: it moves jobs one by one, which is slower`,
        `install one that it knows beside this program (npm install bullmq@${known.at(-1)}), or a newer version of this program`,
      );
