/** Prints the results of the operator's commands. It waits for a slow reader, so that any output takes constant memory. */
import { once } from 'node:events';
import { harmlessJson } from '../shared/runtime/text.js';

export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

export const print = (text: string): Promise<void> => write(`${text}\n`);

export const printJson = (value: unknown, indent?: number): Promise<void> =>
  print(harmlessJson(JSON.stringify(value, null, indent)));
