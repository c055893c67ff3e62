/** `association-queue requests export`: the lines go to stdout, and what they are to stderr. */
import type { Config } from '../../shared/runtime/config.js';
import { harmless, harmlessLines } from '../../shared/runtime/text.js';
import { withQueue } from '../connection.js';
import { write } from '../output.js';
import { exportedText } from '../text/requests-text.js';
import { type ExportOptions, exportRequest } from './export-request.js';

/** @returns the exit code @throws ConfigError if there is no such request, or its file cannot be used */
export async function runExport(config: Config, options: Omit<ExportOptions, 'write'>): Promise<number> {
  // a file gets exactly what the lines have; a terminal would obey it
  const isTerminal = process.stdout.isTTY === true;
  const exported = await withQueue(config, access =>
    exportRequest(access, { ...options, write: text => write(isTerminal ? harmlessLines(text) : text) }),
  );
  for (const text of exportedText(exported)) process.stderr.write(`${harmless(text)}\n`);
  return 0;
}
