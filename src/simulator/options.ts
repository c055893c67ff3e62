/**
 * The simulator's options: one schema gives the type, the defaults and the check of what comes over HTTP.
 * All of it is plain JSON, so that tests, the command line and other processes can set the same things.
 */
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ASSOCIATION_CATEGORIES } from '../shared/contract/association.js';
import { ConfigError } from '../shared/contract/errors.js';

const OptionsSchema = Type.Object(
  {
    /** 0 = a free one */
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    host: Type.String({ minLength: 1 }),
    /** the bearer token that is accepted; empty = any that is not empty */
    accessToken: Type.String(),
    /** calls per rolling window; 0 = no limit */
    rateLimitCalls: Type.Integer({ minimum: 0 }),
    rateLimitWindowMs: Type.Integer({ minimum: 1 }),
    /** calls per day; 0 = no limit */
    dailyCallLimit: Type.Integer({ minimum: 0 }),
    /** the day ends at its midnight */
    timezone: Type.String({ minLength: 1 }),
    latencyMs: Type.Integer({ minimum: 0 }),
    /**
     * What a bad input does to its call:
     *   partial        207, its error beside the good inputs' results
     *   whole          400 that names what it can name; nothing written
     *   whole-unnamed  400 that names nobody; nothing written
     */
    refusal: Type.Enum(['partial', 'whole', 'whole-unnamed']),
    /** the status of every 2xx answer, whatever is in it; 0 = 201, 207 with errors, and always 200 for version 2026-09 */
    statusDrift: Type.Enum([0, 200, 201, 207]),
    /** record ids in results are JSON numbers where they are safe integers */
    numericIds: Type.Boolean(),
    /** results are not in the order of the inputs */
    shuffle: Type.Boolean(),
    /** 429 of the rolling limit says Retry-After */
    retryAfter: Type.Boolean(),
    /** every answer tells what is left of the limits */
    rateLimitHeaders: Type.Boolean(),
    /** record ids that do not exist, beside those of conventions.ts */
    missing: Type.Array(Type.String()),
    /** type ids that exist for the categories other than HUBSPOT_DEFINED; empty = all below 1000 */
    customTypeIds: Type.Array(Type.Integer({ minimum: 1 })),
    /**
     * Association labels of the account, each for one direction: a paired label is two of them. label null = the
     * unlabelled type of a custom object.
     */
    labels: Type.Array(
      Type.Object(
        {
          fromObjectType: Type.String({ minLength: 1 }),
          toObjectType: Type.String({ minLength: 1 }),
          category: Type.Enum([...ASSOCIATION_CATEGORIES]),
          typeId: Type.Integer({ minimum: 1 }),
          label: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
        },
        { additionalProperties: false },
      ),
    ),
    /** HUBSPOT_DEFINED type ids of HubSpot's guide that this account does not have */
    withoutTypeIds: Type.Array(Type.Integer({ minimum: 1 })),
    /** of the shuffling and of faults by rate */
    seed: Type.Integer(),
  },
  { additionalProperties: false },
);
export type SimulatorOptions = Static<typeof OptionsSchema>;

export const DEFAULT_OPTIONS: SimulatorOptions = {
  port: 0,
  host: '127.0.0.1',
  accessToken: '',
  rateLimitCalls: 100,
  rateLimitWindowMs: 10_000,
  dailyCallLimit: 0,
  timezone: 'UTC',
  latencyMs: 0,
  refusal: 'partial',
  statusDrift: 0,
  numericIds: true,
  shuffle: true,
  retryAfter: false,
  rateLimitHeaders: false,
  missing: [],
  customTypeIds: [],
  labels: [],
  withoutTypeIds: [],
  seed: 1,
};

const check = Compile(Type.Partial(OptionsSchema));

/** @throws ConfigError with every problem */
export function checkOptions(given: unknown): Partial<SimulatorOptions> {
  const problems = check.Check(given)
    ? []
    : check.Errors(given).map(error => {
        const values = error.keyword === 'enum' ? `: ${error.params.allowedValues.join(', ')}` : '';
        return `${error.instancePath || 'options'} ${error.message}${values}`;
      });
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  const options = given as Partial<SimulatorOptions>;
  if (options.timezone !== undefined && !isTimezone(options.timezone))
    throw new ConfigError([
      `/timezone "${options.timezone}" is not a time zone (such as UTC or Europe/Berlin)`,
    ]);
  return options;
}

function isTimezone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}
