/** The table of docs/design/faults.md. Pure: a test compares the page with it. */
import type { Result } from './check.js';
import type { Fault, Scenario } from './scenario.js';

export type Results = Readonly<Record<string, Result>>;

export const START = '<!-- faults: written by npm run faults -->';
export const END = '<!-- /faults -->';

/** @param tested faults that only `npm test` shows */
export function faultsTable(
  scenarios: readonly Scenario[],
  tested: readonly Fault[],
  results: Results,
): string {
  const rows = [...scenarios, ...tested].map(one => {
    const shown = [
      ...('run' in one ? [`\`npm run faults -- ${one.name}\``] : []),
      ...one.tests.map(file => `[${file.replace(/^test\//, '')}](../../${file})`),
    ];
    const cells = [
      one.fault,
      one.how,
      one.must,
      shown.join(', '),
      figuresOf('run' in one, results[one.name]),
    ];
    return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const head = [
    '| fault | how it is made | what must hold | shown by | figures of one run |',
    '|---|---|---|---|---|',
  ];
  return [...head, ...rows].join('\n');
}

function figuresOf(isScenario: boolean, result: Result | undefined): string {
  if (!isScenario) return '–';
  if (!result) return 'not run yet';
  const figures = result.figures.map(
    ({ what, value, holds }) => `${what}: ${holds ? value : `**${value}**`}`,
  );
  return `${result.holds ? 'holds' : '**does not hold**'} · ${figures.join(' · ')}`;
}

/** The page with another table between its markers. */
export function withTable(page: string, table: string): string {
  const [from, to] = [page.indexOf(START), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/design/faults.md has no ${START} … ${END}`);
  return `${page.slice(0, from + START.length)}\n${table}\n${page.slice(to)}`;
}
