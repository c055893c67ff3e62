/** Judges the installed release of BullMQ: whether the worker may use its quick way (src/bullmq/README.md). Pure. */
import { type Finding, ok, warning } from '../finding.js';

export const judgeBullmq = ({ version, isKnown }: { version: string; isKnown: boolean }): Finding =>
  isKnown
    ? ok(`BullMQ ${version} is a release that the worker knows`)
    : warning(
        `BullMQ ${version} is a release that the worker does not know: it moves jobs one by one, which is slower`,
        'install the release that package-lock.json of this project names, or wait for a newer version of this program',
      );
