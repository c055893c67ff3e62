/** A refused token: it is read again from its file, and the log names the setting that helps. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { parseConfig } from '../../../../src/shared/runtime/config.js';
import { createLogger } from '../../../../src/shared/runtime/logger.js';
import { tokenSource } from '../../../../src/worker/calls/token.js';

let folder: string;
let lines: string[];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'association-queue-token-'));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));
const logger = () => createLogger('info', 'test', { destination: { write: line => void lines.push(line) } });

it('a refused token from the environment is told once a minute, with the setting', async () => {
  const token = tokenSource(parseConfig({ HUBSPOT_ACCESS_TOKEN: 'pat-refused' }), logger());
  for (let call = 0; call < 10; call++) expect(await token.renew(performance.now())).toBe(false);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/HubSpot refuses the access token; nothing is lost.*HUBSPOT_ACCESS_TOKEN/);
  expect(lines[0]).not.toContain('pat-refused');
});

it('a token in a file is replaced by a newer one, and told while there is none', async () => {
  const file = path.join(folder, 'token');
  writeFileSync(file, 'pat-old\n');
  const token = tokenSource(parseConfig({ HUBSPOT_ACCESS_TOKEN_FILE: file }), logger());
  expect(await token.renew(performance.now())).toBe(false);
  expect(lines.join('')).toMatch(/Write a valid one into the file/);
  writeFileSync(file, 'pat-new\n');
  const sentAt = performance.now();
  expect(await token.renew(sentAt)).toBe(true);
  expect(token.current()).toBe('pat-new');
  // another call of the same moment needs no new reading
  expect(await token.renew(sentAt)).toBe(true);
  expect(lines.join('')).not.toMatch(/pat-/);
});
