/** An answer that is no result, in one sentence for people. Pure. */
import { enteringWords } from '../shared/runtime/text.js';
import { type Answer, field, text } from './classify.js';

/** Longest quotation of HubSpot, code points. */
const MAX_WORDS = 300;

/** @returns `401 from HubSpot: …` in HubSpot's words, or that HubSpot does not answer */
export function wordsOf(answer: Answer): string {
  if (answer.kind === 'none') return `HubSpot does not answer: ${answer.message}`;
  const said = text(field(answer.body, 'message'));
  const words = said === undefined ? undefined : enteringWords(said, MAX_WORDS);
  return `${answer.status} from HubSpot${words === undefined ? '' : `: ${words}`}`;
}
