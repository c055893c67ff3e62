import { expect, test } from '@jest/globals';
import { judgeQueue } from '../../../../src/doctor/judge/queue.js';

const now = Date.parse('2026-11-27T12:00:00Z');
const calm = { paused: null, hold: null, heldPairs: [], backlogAssociations: 1_234, now };

test('a queue that flows is ok', () => {
  expect(judgeQueue(calm)).toEqual([
    { status: 'ok', message: 'the queue is neither paused nor held; about 1,234 associations are queued' },
  ]);
});

test('a pause names who and why; a hold until when and why', () => {
  const hold = { kind: 'auth' as const, reason: '401 from HubSpot', since: now, until: now + 60_000 };
  expect(judgeQueue({ ...calm, paused: { by: 'anna@ops', reason: 'maintenance', at: now }, hold })).toEqual([
    {
      status: 'warning',
      message: 'the queue is paused by anna@ops (maintenance)',
      remedy: 'association-queue resume',
    },
    {
      status: 'warning',
      message: 'calls to HubSpot are held until 2026-11-27T12:01:00.000Z: 401 from HubSpot',
      remedy: 'see the line of the token',
    },
  ]);
});

test('a hold that is over is none', () => {
  const hold = { kind: 'rate-limit' as const, reason: '429', since: now, until: now - 1 };
  expect(judgeQueue({ ...calm, hold })).toMatchObject([{ status: 'ok' }]);
});

test('held object pairs are named, with what helps; many are cut', () => {
  const scopes = '403 from HubSpot: missing scopes (requiredGranularScopes: crm.objects.deals.write)';
  const held = (objectPair: string, reason: string) => ({ objectPair, reason, until: now + 60_000 });
  const heldPairs = [
    held('deals/contacts HUBSPOT_DEFINED:3', scopes),
    held('contacts/companies HUBSPOT_DEFINED:280', 'nothing is accepted: no such type'),
  ];
  expect(judgeQueue({ ...calm, heldPairs })).toEqual([
    {
      status: 'warning',
      message: `the object pair deals → contacts HUBSPOT_DEFINED:3 is held: ${scopes}`,
      remedy: expect.stringMatching(/add the scope/),
    },
    {
      status: 'warning',
      message:
        'the object pair contacts → companies HUBSPOT_DEFINED:280 is held: nothing is accepted: no such type',
      remedy: expect.stringMatching(/association-queue failures list/),
    },
  ]);
  const many = Array.from({ length: 5 }, (_, at) => held(`2-${at}/contacts USER_DEFINED:1`, scopes));
  expect(judgeQueue({ ...calm, heldPairs: many }).map(({ message }) => message)).toEqual([
    ...[0, 1, 2].map(at => expect.stringMatching(`^the object pair 2-${at} → contacts`)),
    '2 more object pairs are held',
  ]);
});
