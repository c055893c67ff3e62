/**
 * The simulator's options: one schema defines the type, the defaults and the validation of options that arrive over
 * HTTP. All values are plain JSON, so that tests, the command line and other processes set the same options.
 */

import { ASSOCIATION_CATEGORIES } from '../shared/contract/association.js';
import { ConfigError } from '../shared/contract/errors.js';
import { Compile, type Static, Type } from '../shared/contract/typebox.js';

const OptionsSchema = Type.Object(
  {
    /** 0 = a free one */
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    host: Type.String({ minLength: 1 }),
    /** the accepted bearer token; empty = any non-empty token */
    accessToken: Type.String(),
    /** calls per rolling window; 0 = no limit */
    rateLimitCalls: Type.Integer({ minimum: 0 }),
    rateLimitWindowMs: Type.Integer({ minimum: 1 }),
    /** calls per day; 0 = no limit */
    dailyCallLimit: Type.Integer({ minimum: 0 }),
    /** the day ends at midnight in this time zone */
    timezone: Type.String({ minLength: 1 }),
    latencyMs: Type.Integer({ minimum: 0 }),
    /**
     * How the simulator answers a call with a bad input:
     *   partial        207 with the input's error and the results of the good inputs
     *   whole          400 that names the inputs where an id exists; nothing written
     *   whole-unnamed  400 that names no input; nothing written
     */
    refusal: Type.Enum(['partial', 'whole', 'whole-unnamed']),
    /** status of every 2xx answer; 0 = 201, or 207 with errors, and always 200 for version 2026-09 */
    statusDrift: Type.Enum([0, 200, 201, 207]),
    /** record ids in results are JSON numbers if they are safe integers */
    numericIds: Type.Boolean(),
    /** results are in random order */
    shuffle: Type.Boolean(),
    /** a 429 of the rolling limit has a Retry-After */
    retryAfter: Type.Boolean(),
    /** every answer has headers with the remaining calls */
    rateLimitHeaders: Type.Boolean(),
    /** record ids that do not exist, in addition to those of conventions.ts */
    missing: Type.Array(Type.String()),
    /** type ids that exist for the categories other than HUBSPOT_DEFINED; empty = all below 1000 */
    customTypeIds: Type.Array(Type.Integer({ minimum: 1 })),
    /**
     * Association labels of the account. Each entry is for one direction, so that a paired label needs two entries.
     * label null = the unlabelled type of a custom object.
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
    /** the account that the token belongs to */
    portalId: Type.Integer({ minimum: 1 }),
    accountType: Type.Enum(['STANDARD', 'SANDBOX', 'DEVELOPER_TEST', 'APP_DEVELOPER']),
    /** scopes of the token; only calls about the account look at them */
    scopes: Type.Array(Type.String({ minLength: 1 })),
    /** HubSpot tells what the token is. Documented for private apps; not known for service keys */
    tokenInfo: Type.Boolean(),
    /** HUBSPOT_DEFINED type ids of HubSpot's guide that this account does not have */
    withoutTypeIds: Type.Array(Type.Integer({ minimum: 1 })),
    /** seed of shuffling and of faults by rate */
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
  portalId: 24_247_247,
  accountType: 'DEVELOPER_TEST',
  scopes: [
    'crm.objects.companies.write',
    'crm.objects.contacts.write',
    'crm.objects.custom.write',
    'crm.objects.deals.write',
    'oauth',
    'tickets',
  ],
  tokenInfo: true,
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
