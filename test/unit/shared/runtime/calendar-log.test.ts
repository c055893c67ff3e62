import { expect, test } from '@jest/globals';
import { logApiVersion } from '../../../../src/shared/runtime/calendar-log.js';
import { createLogger } from '../../../../src/shared/runtime/logger.js';

function said(version: string, day: string): unknown[] {
  const lines: string[] = [];
  const logger = createLogger('info', 'test', { destination: { write: line => void lines.push(line) } });
  logApiVersion(logger, version, Date.parse(day));
  return lines.map(line => {
    const { level, event, msg } = JSON.parse(line) as Record<string, unknown>;
    return { level, event, msg };
  });
}

test('a service that uses v4 says from when on to switch, and warns from that day on', () => {
  expect(said('v4', '2026-11-27')).toEqual([
    { level: 30, event: 'api-version', msg: expect.stringContaining('from 2026-12-30 on') },
  ]);
  expect(said('v4', '2027-01-15')).toEqual([
    {
      level: 40,
      event: 'api-version',
      msg: expect.stringMatching(/ends on 2027-03-30.*HUBSPOT_API_VERSION=/),
    },
  ]);
});

test('a service that needs no switch says nothing', () => {
  expect(said('2026-09', '2026-11-27')).toEqual([]);
});
