/** The simulator as a process: `association-queue simulator`. */
import { runUntilSignal } from '../shared/runtime/lifecycle.js';
import { createLogger } from '../shared/runtime/logger.js';
import { CONVENTIONS_TEXT } from './conventions.js';
import { parseSimulatorFlags, SIMULATOR_FLAGS } from './flags.js';
import { type Simulator, startSimulator } from './server.js';

// for the command line, which shows them in --help and calls runSimulator
export { CONVENTIONS_TEXT, parseSimulatorFlags, SIMULATOR_FLAGS };

/**
 * Prints its address to stdout and runs until SIGTERM or SIGINT.
 * @param given options by their camel-case names, as text or as values (flags.ts)
 * @throws ConfigError with every problem
 */
export async function runSimulator(given: Readonly<Record<string, unknown>>): Promise<void> {
  const options = parseSimulatorFlags(given);
  let simulator: Simulator | undefined;
  const service = {
    async start() {
      simulator = await startSimulator(options);
      process.stdout.write(
        `HubSpot simulator listening on ${simulator.url}\n` +
          `  its ledger of all calls: curl ${simulator.url}/_simulator/ledger\n`,
      );
    },
    async stop() {
      await simulator?.stop();
    },
  };
  await runUntilSignal([service], createLogger('warn', 'simulator'));
}
