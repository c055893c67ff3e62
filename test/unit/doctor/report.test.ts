import { expect, test } from '@jest/globals';
import { notChecked, type Reported } from '../../../src/doctor/finding.js';
import { exitCodeOf, reportOf, reportText } from '../../../src/doctor/report.js';

const finding = (status: Reported['status'], check = 'redis'): Reported => ({
  status,
  check,
  message: `it is ${status}`,
});
const report = (...findings: Reported[]) => reportOf(findings, '0.1.0', '2026-11-27T00:00:00.000Z');

test('the most serious finding decides; only a fault fails', () => {
  expect(
    [report(), report(finding('ok')), report(finding('ok'), finding('warning'))].map(exitCodeOf),
  ).toEqual([0, 0, 0]);
  const bad = report(finding('ok'), finding('fault'), finding('warning'));
  expect([bad.status, exitCodeOf(bad)]).toEqual(['fault', 1]);
});

test('a line for each finding, its remedy below it, and the sum', () => {
  const text = reportText(
    report(finding('ok'), { ...finding('fault', 'token'), remedy: 'renew it' }, finding('warning', 'limits')),
  );
  expect(text.split('\n')).toEqual([
    'ok       redis   it is ok',
    'fault    token   it is fault',
    '                 → renew it',
    'warning  limits  it is warning',
    '',
    '1 fault, 1 warning, 1 ok',
  ]);
});

test('checks that were not made for one reason share a line, which names them', () => {
  const unmade = (check: string): Reported => ({ ...notChecked('Redis is away', 'see redis'), check });
  const findings = [
    finding('fault'),
    unmade('memory'),
    finding('ok', 'token'),
    unmade('clock'),
    { ...notChecked('HubSpot is away', 'see token'), check: 'scopes' },
  ];
  expect(reportText(report(...findings)).split('\n')).toEqual([
    'fault    redis     it is fault',
    'warning  2 checks  not checked, because Redis is away: memory, clock',
    '                   → see redis',
    'ok       token     it is ok',
    'warning  scopes    not checked, because HubSpot is away',
    '                   → see token',
    '',
    '1 fault, 3 warnings (3 not checked), 1 ok',
  ]);
  expect(report(...findings).findings).toHaveLength(5);
});

test('foreign words cannot control the terminal', () => {
  const text = reportText(report({ ...finding('ok'), message: 'HubSpot said \u001b[2J' }));
  expect(text).not.toContain('\u001b');
});
