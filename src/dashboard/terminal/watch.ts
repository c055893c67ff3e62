/** `stats --watch` on a terminal: reads every second, shows a frame, until SIGINT, SIGTERM or SIGHUP. */

import { messageOf } from '../../shared/contract/errors.js';
import type { Config } from '../../shared/runtime/config.js';
import { redisPlace } from '../../shared/runtime/redis-url.js';
import { sleep } from '../../shared/runtime/wait.js';
import { type QueueAccess, unreachable } from '../connection.js';
import type { Series } from '../overview/minutes.js';
import { Overview, type Reading } from '../overview/overview.js';
import { frame } from './frame.js';
import { painter } from './glyphs.js';
import { Screen } from './screen.js';

const EVERY_MS = 1_000;
/** The series of the last hour is read this often, because it changes slowly. */
const HOUR_FRESH_MS = 5_000;

/** @returns true if the terminal has a screen to draw on */
export const canDraw = (stdout: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean =>
  stdout.isTTY === true && env.TERM !== 'dumb';

export async function watchOnScreen(
  access: QueueAccess,
  config: Config,
  terminal: NodeJS.WriteStream,
  ended: AbortSignal,
): Promise<void> {
  const overview = new Overview(access, config);
  const paint = painter(terminal);
  const place = redisPlace(config.redis);
  let reading: Reading | undefined;
  let hour: Series | undefined;
  let hourReadAt = Number.NEGATIVE_INFINITY;
  const live: (number | null)[] = [];
  let trouble: string | undefined;
  const draw = () => {
    if (!reading || !hour) return;
    const input = { reading, hour, live, account: access.account, place, trouble };
    screen.show(frame(input, screen.size, paint));
  };
  const screen = new Screen(terminal, draw);
  const read = async () => {
    reading = await overview.read();
    live.push(reading.figures.state.perSecond);
    if (live.length > 60) live.shift();
    if (performance.now() - hourReadAt < HOUR_FRESH_MS) return;
    hour = await overview.history('hour');
    hourReadAt = performance.now();
  };
  await read(); // if Redis is unreachable at the start, the command fails
  screen.open();
  try {
    while (!ended.aborted) {
      draw();
      await sleep(EVERY_MS, ended);
      try {
        if (!ended.aborted) await read();
        trouble = undefined;
      } catch (error) {
        trouble = `${messageOf(unreachable(config, error))}; trying again`;
      }
    }
  } finally {
    screen.close();
  }
}
