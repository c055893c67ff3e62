/** Starts and stops the services of a process. A second signal ends the process at once. */
import type { Logger } from './logger.js';

/**
 * Anything long-lived. Callers may call `stop` twice, and before `start`.
 * `fatal` rejects when the service finds out, after its start, that the process must not go on.
 */
export type Service = {
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly fatal?: Promise<never>;
};

/**
 * Starts the services in order, waits for SIGTERM or SIGINT, stops them in reverse order.
 * A second signal ends the process at once (exit 130).
 * Resolves when everything has stopped. @throws the error of a service that cannot start or go on, after that
 */
export async function runUntilSignal(services: readonly Service[], logger: Logger): Promise<void> {
  const started: Service[] = [];
  const asked = new Promise<NodeJS.Signals>(resolve => {
    let first = true;
    const onSignal = (signal: NodeJS.Signals) => {
      if (!first) {
        logger.warn(
          { event: 'forced', signal },
          'second signal: ending at once; unfinished jobs come back as stalled',
        );
        process.exit(130);
      }
      first = false;
      resolve(signal);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  const startAll = async () => {
    for (const service of services) {
      started.push(service);
      await service.start();
    }
  };
  try {
    const fatal = services.flatMap(service => service.fatal ?? []);
    // a signal also stops a process that still waits for Redis
    await Promise.race([startAll(), asked, ...fatal]);
    const signal = await Promise.race([asked, ...fatal]);
    logger.info({ event: 'stopping', signal }, 'stopping; a second signal ends the process at once');
  } finally {
    for (const service of started.reverse()) await service.stop();
  }
}
