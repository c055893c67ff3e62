/** The reply of CLUSTER SLOTS: which node has a slot. */
import { describe, expect, it } from '@jest/globals';
import { readSlots } from '../../../../src/shared/runtime/cluster-connector.js';

const ASKED = { host: '10.0.0.9', port: 7009 };
const node = (host: string | null, port: number) => [host, port, `id-${port}`, []];
const REPLY = [
  [0, 5460, node('10.0.0.1', 7001), node('10.0.0.4', 7004)],
  [5461, 10_922, node('10.0.0.2', 7002)],
  [16_000, 16_383, node('10.0.0.3', 7003)],
];

describe('the owner of a slot', () => {
  it.each([
    ['the first slot of a range', 0, { host: '10.0.0.1', port: 7001 }],
    ['the last slot of a range', 5460, { host: '10.0.0.1', port: 7001 }],
    ['the first slot of the next range', 5461, { host: '10.0.0.2', port: 7002 }],
    ['the last slot of all', 16_383, { host: '10.0.0.3', port: 7003 }],
  ])('is found for %s', (_name, slot, owner) => {
    expect(readSlots(REPLY, slot, ASKED).owner).toEqual(owner);
  });

  it('is unknown while nobody has the slot, as a cluster that is being made or has lost a primary says', () => {
    const none = (reply: unknown) => () => readSlots(reply, 12_000, ASKED);
    for (const reply of [REPLY, [], null, 'OK']) expect(none(reply)).toThrow(/^CLUSTERDOWN .*\(12000\)$/);
  });

  it.each([
    ['null', null],
    ['an empty text', ''],
    ['a question mark', '?'],
  ])('is the host that was asked if the cluster says %s for it', (_name, host) => {
    expect(readSlots([[0, 16_383, node(host, 7001)]], 5, ASKED).owner).toEqual({
      host: '10.0.0.9',
      port: 7001,
    });
  });
});

it('all nodes of the reply are known afterwards, replicas as well', () => {
  const { all } = readSlots(REPLY, 0, ASKED);
  expect(all.map(({ port }) => port)).toEqual([7001, 7004, 7002, 7003]);
});
