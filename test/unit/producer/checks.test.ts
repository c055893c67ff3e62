/** What the library says about its options. */
import { describe, expect, it } from '@jest/globals';
import type { ProducerOptions } from '../../../src/producer/api.js';
import {
  enqueueManyProblems,
  enqueueProblems,
  followProblems,
  optionProblems as problemsAt,
} from '../../../src/producer/checks.js';

/** The place of the queue is queue-place.ts's to judge. */
const optionProblems = (options: ProducerOptions) => problemsAt(options, () => ({ problems: [] }));
/** As a caller without types writes them. */
const given = (options: unknown) => options as never;
const said = (problems: readonly (string | undefined)[]) => problems.filter(problem => problem !== undefined);

describe('an option that nobody reads is refused by name', () => {
  it.each<[string, readonly (string | undefined)[], string[]]>([
    [
      'enqueue',
      enqueueProblems(given({ request: { nam: 'nightly' }, prio: 'high' })),
      ['prio is not an option (priority, request)', 'request.nam is not an option: did you mean name?'],
    ],
    [
      'enqueue, whose request has a name only',
      enqueueProblems(given({ request: { name: 'a', source: 'crm' } })),
      ['request.source is not an option (name)'],
    ],
    [
      'enqueueMany',
      enqueueManyProblems([], given({ request: { name: 'a', id: 'b', sourc: 'crm' } })),
      ['request.sourc is not an option: did you mean source?'],
    ],
    ['waitFor', followProblems(given({ timeout: 5 })), ['timeout is not an option (signal)']],
    [
      'createProducer',
      optionProblems(
        given({ redisUrl: 'redis://127.0.0.1', redisURI: 'x', hubspot: { acessToken: 'secret' } }),
      ),
      [
        'redisURI is not an option: did you mean redisUrl?',
        'hubspot.acessToken is not an option: did you mean accessToken?',
      ],
    ],
  ])('of %s', (_call, problems, expected) => {
    expect(said(problems)).toEqual(expected);
  });
});

it('what is no object is no options', () => {
  expect(said(enqueueProblems(given({ request: 'nightly' })))).toEqual([
    'request: not an object, such as { name }',
  ]);
  expect(said(enqueueManyProblems([], given(null)))).toEqual([
    'options: not an object, such as { priority }',
  ]);
  // it is not repeated: it may be a URL with a password
  for (const wrong of [undefined, 'redis://:secret@host', []])
    expect(said(optionProblems(given(wrong)))).toEqual(['options: not an object, such as { redisUrl }']);
  expect(said(optionProblems(given({ redisUrl: 'redis://127.0.0.1', hubspot: null })))).toEqual([
    'hubspot: not an object, such as { accessToken }',
  ]);
});

it('a blank name or source is refused, and no name is none', () => {
  expect(said(enqueueProblems({ request: { name: ' ' } }))).toEqual([
    'request.name is blank: leave it out, or give a text',
  ]);
  expect(said(enqueueManyProblems([], { request: { source: '' } }))).toEqual([
    'request.source is blank: leave it out, or give a text',
  ]);
  expect(said(optionProblems({ redisUrl: 'redis://127.0.0.1', source: '' }))).toHaveLength(1);
  expect(said(enqueueProblems({ request: {}, priority: 'high' }))).toEqual([]);
});

it('items that cannot be iterated are refused before a request is opened', () => {
  for (const items of [undefined, {}, 'text', 7])
    expect(said(enqueueManyProblems(items, {}))).toEqual([
      'the items are neither an iterable nor an async iterable',
    ]);
  async function* none() {}
  for (const items of [[], new Set(), none()]) expect(said(enqueueManyProblems(items, {}))).toEqual([]);
});
