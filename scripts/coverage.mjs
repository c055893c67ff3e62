// Runs tests and prints which lines of src they executed. Counts two things together: src as the tests import it, and dist
// as the test's processes run it (through its source maps). A process that is killed with -9 reports nothing.
// Arguments are jest's. Writes coverage/uncovered.txt: `file: lines` for each file with lines that nothing executed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import v8Coverage from '@bcoe/v8-coverage';
import coverage from 'istanbul-lib-coverage';
import v8ToIstanbul from 'v8-to-istanbul';

const root = fileURLToPath(new URL('..', import.meta.url));
const CHILDREN = path.join(root, 'coverage/children');
const DIST = pathToFileURL(`${root}dist/`).href;
/** Lines that no test can execute: blank, comments, closing brackets, imports and types. */
const NO_CODE = /^\s*($|\/\/|\/?\*|[\])}]+[;,]?$|import |export \*|(export )?(type|interface) )/;

/** @returns the merged coverage of dist of all processes */
function executedByProcesses() {
  let merged = { result: [] };
  for (const file of readdirSync(CHILDREN)) {
    const { result } = JSON.parse(readFileSync(path.join(CHILDREN, file), 'utf8'));
    const ours = result.filter(({ url }) => url.startsWith(DIST) && existsSync(fileURLToPath(url)));
    merged = v8Coverage.mergeProcessCovs([merged, { result: ours }]);
  }
  return merged.result;
}

/** @param file of dist, relative to it */
const sourceOf = file => path.join(root, 'src', file.replace(/\.js$/, '.ts'));
const notExecuted = length => ({
  ...{ functionName: '(empty-report)', isBlockCoverage: true },
  ranges: [{ startOffset: 0, endOffset: length, count: 0 }],
});

async function linesExecuted() {
  const map = coverage.createCoverageMap(
    JSON.parse(readFileSync(path.join(root, 'coverage/coverage-final.json'), 'utf8')),
  );
  const add = async (file, functions) => {
    const converter = v8ToIstanbul(file);
    await converter.load();
    converter.applyCoverage(functions);
    map.merge(converter.toIstanbul());
  };
  for (const { url, functions } of executedByProcesses()) await add(fileURLToPath(url), functions);
  // modules that were never loaded; the page runs in browsers, and types are never executed
  for (const file of readdirSync(fileURLToPath(DIST), { recursive: true })) {
    if (!/^(?!dashboard.page).*\.js$/.test(file) || map.data[sourceOf(file)]) continue;
    const text = readFileSync(fileURLToPath(DIST + file), 'utf8');
    if (!/^(export \{\};)?\s*(\/\/# sourceMappingURL.*)?$/.test(text.replace(/^\/\*[\s\S]*?\*\/\s*/, '')))
      await add(fileURLToPath(DIST + file), [notExecuted(text.length)]);
  }
  return map;
}

/** [12, 13, 14, 20] → `12-14, 20` */
const asRanges = lines =>
  lines
    .reduce((ranges, line) => {
      const last = ranges.at(-1);
      if (last?.[1] === line - 1) last[1] = line;
      else ranges.push([line, line]);
      return ranges;
    }, [])
    .map(([first, last]) => (first === last ? first : `${first}-${last}`))
    .join(', ');

/** @returns the unexecuted lines, a line for each file, and the total */
function summary(map) {
  let [code, executed] = [0, 0];
  const uncovered = [];
  for (const file of map.files().sort()) {
    if (!file.startsWith(`${root}src/`)) continue;
    const source = readFileSync(file, 'utf8').split('\n');
    const counts = Object.entries(map.fileCoverageFor(file).getLineCoverage()).filter(
      ([line]) => !NO_CODE.test(source[line - 1] ?? ''),
    );
    const missed = counts.filter(([, count]) => count === 0).map(([line]) => Number(line));
    code += counts.length;
    executed += counts.length - missed.length;
    if (missed.length > 0) uncovered.push(`${path.relative(root, file)}: ${asRanges(missed)}`);
  }
  return { code, executed, uncovered };
}

rmSync(path.join(root, 'coverage'), { recursive: true, force: true });
mkdirSync(CHILDREN, { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    ...['node_modules/jest/bin/jest.js', '--config', 'jest.coverage.config.mjs', ...process.argv.slice(2)],
  ],
  { cwd: root, stdio: 'inherit' },
);
const { code, executed, uncovered } = summary(await linesExecuted());
writeFileSync(path.join(root, 'coverage/uncovered.txt'), `${uncovered.join('\n')}\n`);
const percent = ((100 * executed) / code).toFixed(1);
console.log(`coverage: ${percent} % of ${code} lines of src; the others are named in coverage/uncovered.txt`);
rmSync(CHILDREN, { recursive: true });
process.exit(status ?? 1);
