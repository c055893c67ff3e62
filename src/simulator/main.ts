/** The simulator as a process: `association-queue simulator`. */
import { runUntilSignal } from '../shared/runtime/lifecycle.js';
import { listening } from '../shared/runtime/listen-error.js';
import { createLogger } from '../shared/runtime/logger.js';
import { CONVENTIONS_TEXT } from './conventions.js';
import { parseSimulatorFlags, SIMULATOR_FLAGS } from './flags.js';
import { DEFAULT_OPTIONS } from './options.js';
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
      const { port = DEFAULT_OPTIONS.port, host = DEFAULT_OPTIONS.host } = options;
      simulator = await listening(() => startSimulator(options), {
        ...{ port, host },
        ...{ portSetting: '--port', hostSetting: '--host' },
      });
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
