/**
 * What a page shows can be run: each program is a file of examples/ (test/examples runs them), each command and option of
 * ours exists, each job is valid.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../src/cli/program.js';
import { parseJobData } from '../../../src/shared/contract/job-schema.js';
import { blocksOf, textOf, USER_PAGES } from '../../support/pages.js';

/** Generated; test/examples/api.test.ts compiles and runs what it shows. */
const LIBRARY_REFERENCE = 'docs/reference/api.md';
const blocks = USER_PAGES.filter(page => page !== LIBRARY_REFERENCE).flatMap(blocksOf);
const PROGRAMS = ['js', 'ts', 'python'];

describe('programs on the pages', () => {
  const examples = readdirSync('examples').map(file => readFileSync(`examples/${file}`, 'utf8').trim());
  const shown = blocks.filter(({ language }) => PROGRAMS.includes(language));

  it('are files of examples/, which tests run', () => {
    const strays = shown.filter(({ text }) => !examples.includes(text.trim()));
    expect(strays.map(({ page, text }) => `${page}: ${text.slice(0, 80)}`)).toEqual([]);
  });

  it('are all files of examples/', () => {
    const texts = shown.map(({ text }) => text.trim());
    expect(examples.filter(example => !texts.includes(example))).toEqual([]);
  });
});

describe('commands on the pages', () => {
  const shells = blocks.filter(({ language }) => language === 'sh').flatMap(callsIn);
  const inline = USER_PAGES.flatMap(page =>
    [...textOf(page).matchAll(/`(association-queue [^`\n]+)`/g)].map(([, call = '']) => ({ page, call })),
  );

  it('exist, with their options', async () => {
    const program = await createProgram(true);
    expect(shells.length).toBeGreaterThan(20);
    expect(inline.length).toBeGreaterThan(20);
    expect([...shells, ...inline].flatMap(one => faultOf(one.call, program, one.page) ?? [])).toEqual([]);
  });

  it('are faults with a name or an option that does not exist', async () => {
    const program = await createProgram(true);
    expect(faultOf('association-queue enqeue x.csv', program, 'page')).toContain('enqeue');
    expect(faultOf('association-queue requests sow ID', program, 'page')).toContain('sow');
    expect(faultOf('association-queue enqueue x.csv --form contacts', program, 'page')).toContain('--form');
    expect(faultOf('association-queue enqueue x.csv --from contacts', program, 'page')).toBeUndefined();
  });
});

it('each job on the page of the schema is valid', () => {
  const page = 'docs/reference/job-schema.md';
  const jobs = blocksOf(page).filter(({ language }) => language === 'json');
  expect(jobs.map(({ text }) => parseJobData(JSON.parse(text)).ok)).toEqual([true]);
});

/** Our commands in a block, without comments, redirections and what follows in the line. */
function callsIn({ page, text }: { page: string; text: string }): { page: string; call: string }[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map(line => line.replace(/(^|\s)#.*$/, ''))
    .flatMap(line => line.split(/&&|\|\||[|;&<>]/))
    .flatMap(part => /\bassociation-queue .*/.exec(part)?.[0] ?? [])
    .map(call => ({ page, call }));
}

function faultOf(call: string, program: Command, page: string): string | undefined {
  const [, ...words] = call.trim().split(/\s+/);
  let command = program;
  for (const word of words) {
    if (word.startsWith('-') || command.commands.length === 0) break;
    if (/^(COMMAND|…)$/.test(word)) return undefined;
    const found = command.commands.find(one => one.name() === word);
    if (!found) return `${page}: there is no command ${word}: ${call}`;
    command = found;
  }
  const known = ['--help', ...[...program.options, ...command.options].map(({ long }) => long)];
  const options = words.filter(word => word.startsWith('--')).map(word => word.split('=')[0] ?? '');
  const unknown = options.find(option => !known.includes(option));
  return unknown === undefined ? undefined : `${page}: there is no option ${unknown}: ${call}`;
}
