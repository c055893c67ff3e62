/** Options of the command `simulator`. */
import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/shared/contract/errors.js';
import { parseSimulatorFlags, SIMULATOR_FLAGS } from '../../../src/simulator/flags.js';

describe('the flags of the simulator', () => {
  it('have defaults, with a port that can be known beforehand', () => {
    expect(parseSimulatorFlags({})).toMatchObject({ port: 8787, host: '127.0.0.1', refusal: 'partial' });
  });

  it('are read from text', () => {
    const flags = { port: '0', latencyMs: '30', missing: '17,18', customTypeIds: '36', refusal: 'whole' };
    expect(parseSimulatorFlags(flags)).toMatchObject({
      port: 0,
      latencyMs: 30,
      missing: ['17', '18'],
      customTypeIds: [36],
      refusal: 'whole',
    });
  });

  it('report every problem at once, by the name of the flag', () => {
    const flags = { port: '70000', latencyMs: 'soon', refusal: 'never', timezone: 'Mars/Base' };
    const problems = (() => {
      try {
        parseSimulatorFlags(flags);
        return [];
      } catch (error) {
        return error instanceof ConfigError ? error.problems : [String(error)];
      }
    })();
    expect(problems.map(problem => problem.split(' ')[0])).toEqual([
      '--port',
      '--latency-ms',
      '--timezone',
      '--refusal',
    ]);
    expect(problems.at(-1)).toMatch(/: partial, whole, whole-unnamed$/);
  });

  it('have the names that commander gives them', () => {
    for (const { flag, option } of SIMULATOR_FLAGS) {
      const name = flag.replace(/^--/, '').split(' ')[0] ?? '';
      expect(name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())).toBe(option);
    }
  });
});
