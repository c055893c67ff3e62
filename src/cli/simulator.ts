/** `association-queue simulator`: the stand-in for HubSpot. Its module has its options. */
import { type CommandSpec, PROGRAM } from './command.js';

/** The simulator's module has its options and is loaded only when they are needed. */
export async function simulator(loaded: boolean): Promise<CommandSpec> {
  const summary = 'Stands in for HubSpot, for development and tests: real limits, faults on request.';
  const example = `${PROGRAM} simulator --port 8787\nHUBSPOT_BASE_URL=http://127.0.0.1:8787 HUBSPOT_ACCESS_TOKEN=any ${PROGRAM} worker`;
  const spec = { usage: 'simulator', summary, flags: [], example, run: async () => 0 };
  if (!loaded) return spec;
  const { CONVENTIONS_TEXT, parseSimulatorFlags, runSimulator, SIMULATOR_FLAGS } = await import(
    '../simulator/main.js'
  );
  return {
    ...spec,
    flags: SIMULATOR_FLAGS.map(({ flag, description, default: value }) => [
      flag,
      value === '' ? description : `${description} (default ${value})`,
    ]),
    notes: CONVENTIONS_TEXT,
    run: async given => {
      const options = given.texts(...SIMULATOR_FLAGS.map(({ option }) => option));
      given.settle(() => parseSimulatorFlags(options));
      await runSimulator(options);
      return 0;
    },
  };
}
