/** Names of options that do not exist: ignored, a misspelt option would silently have its default. Pure. */
import { didYouMean, meant } from './did-you-mean.js';
import { quote } from './record-id.js';

/**
 * @param place what stands before the name: `hubspot.`
 * @returns a problem for each unknown name, with the one that was probably meant. Values are not quoted: they may be secrets
 */
export function unknownOptions(given: object, known: readonly string[], place = ''): string[] {
  return Object.keys(given)
    .filter(name => !known.includes(name))
    .map(name => {
      const intended = meant(name, known, { edits: fewLetters, as: squeezed });
      const hint = intended === undefined ? ` (but ${known.join(', ')})` : didYouMean(place + intended);
      return `${place}${quote(name).slice(1, -1)} is not an option${hint}`; // quoted: safe in a terminal
    });
}

/** A third of the name, and two swapped letters in any but the shortest. */
const fewLetters = (known: string): number =>
  known.length < 4 ? 1 : Math.max(2, Math.floor(known.length / 3));
/** `redis_url` is redisUrl. */
const squeezed = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
