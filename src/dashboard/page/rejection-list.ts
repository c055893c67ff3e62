/** Filters, sorts and folds the groups of rejections. Pure. */
import type { RejectionGroup } from '../view.js';

export const SORTS = ['associations', 'last', 'words'] as const;
export const FOLDS = ['nothing', 'category', 'objectPair'] as const;
export type Arrangement = {
  /** each of its words must occur in the category, the message or the object pair */
  text: string;
  sort: (typeof SORTS)[number];
  fold: (typeof FOLDS)[number];
};
/** Groups that are folded together. Without a fold there is one section without a title. */
export type Section = { title: string; associations: number; groups: RejectionGroup[] };

export const objectPairOf = ({ from, to }: Pick<RejectionGroup, 'from' | 'to'>): string => `${from} → ${to}`;

export function arrange(groups: readonly RejectionGroup[], { text, sort, fold }: Arrangement): Section[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const isWanted = (group: RejectionGroup) => {
    const { category, message, from, to } = group;
    const said = `${category} ${message} ${objectPairOf(group)} ${from}/${to}`.toLowerCase();
    return words.every(word => said.includes(word));
  };
  const sections = new Map<string, Section>();
  for (const group of groups.filter(isWanted).sort(ORDERS[sort])) {
    const title = TITLES[fold](group);
    const section = sections.get(title) ?? { title, associations: 0, groups: [] };
    section.groups.push(group);
    section.associations += group.associations;
    sections.set(title, section);
  }
  return [...sections.values()].sort((a, b) => b.associations - a.associations);
}

const bySize = (a: RejectionGroup, b: RejectionGroup): number =>
  b.associations - a.associations || b.jobs - a.jobs || a.id.localeCompare(b.id);
const ORDERS: Readonly<Record<Arrangement['sort'], (a: RejectionGroup, b: RejectionGroup) => number>> = {
  associations: bySize,
  last: (a, b) => b.last - a.last || bySize(a, b),
  words: (a, b) => `${a.category} ${a.message}`.localeCompare(`${b.category} ${b.message}`) || bySize(a, b),
};
const TITLES: Readonly<Record<Arrangement['fold'], (group: RejectionGroup) => string>> = {
  nothing: () => '',
  category: ({ category }) => category,
  objectPair: objectPairOf,
};
