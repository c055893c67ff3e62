/** A RedisWatch with a clock of the test and a log that it can read. */
import { Writable } from 'node:stream';
import { accountKeys } from '../../src/shared/contract/keys.js';
import { createLogger } from '../../src/shared/runtime/logger.js';
import { RedisWatch } from '../../src/shared/runtime/redis-watch.js';

type LogLine = { readonly level: number; readonly msg: string; readonly error?: string };

export class WatchedRedis {
  /** the clock of the watch, ms */
  now = 0;
  readonly lines: LogLine[] = [];
  readonly logger = createLogger('info', 'test', {
    destination: new Writable({
      write: (line, _encoding, done) => {
        this.lines.push(JSON.parse(String(line)));
        done();
      },
    }),
  });
  readonly watch: RedisWatch;

  constructor(url: string, silenceMs?: number) {
    const { logger } = this;
    this.watch = new RedisWatch({
      ...{ address: url, keys: accountKeys('test-watch'), consequence: 'waiting for it', logger },
      now: () => this.now,
      ...(silenceMs !== undefined && { silenceMs }),
    });
  }

  /** `error: message` of each line, or the message alone */
  get said(): string[] {
    return this.lines.map(({ msg, error }) => (error ? `${error}: ${msg}` : msg));
  }
}
