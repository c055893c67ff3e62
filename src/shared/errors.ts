/** The few errors that callers tell apart. Messages are sentences with the numbers and, where there is one, the remedy. */

/** The user's configuration or options are wrong; `problems` lists all of them. The command line exits 2. */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/** Associations that cannot be enqueued as they are: every fault is named with its place. Nothing of them was enqueued. */
export class InvalidAssociationError extends Error {
  readonly code = 'INVALID_ASSOCIATION';
  constructor(readonly faults: readonly string[]) {
    super(`invalid association: ${faults.join('; ')}`);
    this.name = 'InvalidAssociationError';
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
