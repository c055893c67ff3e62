/** The poller: one reading of the queue for all viewers. */
import { describe, expect, test } from '@jest/globals';
import type { Overview, Reading } from '../../../../src/dashboard/overview/overview.js';
import { Poller } from '../../../../src/dashboard/web/poller.js';
import { eventually } from '../../../support/eventually.js';

describe('the poller', () => {
  /** Manual readings: each waits until the test answers it. */
  function overview() {
    const asked: { answer(reading: unknown): void; refuse(error: Error): void }[] = [];
    const read = () =>
      new Promise<Reading>((resolve, reject) => {
        asked.push({ answer: reading => resolve(reading as Reading), refuse: reject });
      });
    return { asked, overview: { readPage: read } as unknown as Overview };
  }

  test('reads once for all viewers, sends parts that have changed only, and stops when nobody looks', async () => {
    const { asked, overview: one } = overview();
    const poller = new Poller(one);
    const heard: string[][] = [[], [], []];
    const ends = heard.map(list => poller.watch((part, json) => list.push(`${part} ${json}`)));
    expect(asked).toHaveLength(1);
    asked[0]?.answer({ figures: 1, workers: 1 });
    await eventually(() => expect(heard[2]).toEqual(['figures 1', 'workers 1', 'trouble null']));
    expect(heard[0]).toEqual(heard[2]);
    await eventually(() => expect(asked).toHaveLength(2));
    asked[1]?.answer({ figures: 2, workers: 1 });
    await eventually(() => expect(heard[0]?.slice(3)).toEqual(['figures 2']));
    for (const end of ends) end();
    expect(poller.viewers).toBe(0);
    await eventually(() => expect(poller.isReading).toBe(false));
    expect(asked).toHaveLength(2);
    // a later viewer does not see old figures
    const late: string[] = [];
    const end = poller.watch(part => late.push(part));
    expect(late).toEqual([]);
    expect(asked).toHaveLength(3);
    end();
    poller.stop();
  });

  test('says since when Redis is away, and goes on trying', async () => {
    const { asked, overview: one } = overview();
    const poller = new Poller(one);
    const heard: string[] = [];
    poller.watch((part, json) => heard.push(`${part} ${json}`));
    asked[0]?.refuse(new Error('gone'));
    await eventually(() =>
      expect(heard).toEqual([expect.stringMatching(/^trouble \{"since":\d+,"message":"gone"\}$/)]),
    );
    await eventually(() => expect(asked).toHaveLength(2));
    // each time, so that a page notices a lost connection
    asked[1]?.refuse(new Error('still gone'));
    await eventually(() => expect(asked).toHaveLength(3));
    expect(heard[1]).toBe(heard[0]);
    asked[2]?.answer({ figures: 1 });
    await eventually(() => expect(heard.slice(2)).toEqual(['figures 1', 'trouble null']));
    poller.stop();
  });
});
