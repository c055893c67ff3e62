// The files of deploy/helm/association-queue that are generated from the code:
//   files/environment.json   which settings and secrets each role reads; the templates make the containers' variables from it
//   values.schema.json       its definitions of settings and secrets; the rest of the schema is written by hand
//   files/                   alert rules and Grafana dashboard of deploy/monitoring, because a chart reads no file outside of it
//   README.md                the table of values
//   Chart.yaml               the version
import { readFileSync } from 'node:fs';
import { SETTINGS } from '../dist/shared/runtime/settings.js';
import { valuesTable } from './chart-readme.mjs';
import { COMMANDS, secretsOf, settingsOf } from './compose-variables.mjs';

export const CHART = 'deploy/helm/association-queue';
const ROLES = Object.keys(COMMANDS);
const ALL = Object.values(SETTINGS);
/** The program reads it from a file, although the list of settings has it as a secret of its own kind (config.ts). */
const TOKEN = 'HUBSPOT_ACCESS_TOKEN';
/** A text that may hold a password. */
const URL_OF_REDIS = 'REDIS_URL';
/** Where a pod listens is the chart's business: probes, Services and the NetworkPolicy name it. */
const OF_THE_CHART = /^(METRICS|GATEWAY|DASHBOARD)_(HOST|PORT)$/;

const isSecret = ({ kind, name }) => kind === 'secret' || name.endsWith('_FILE');
/** Mounted as a file: the program reads it from a file, or wants the name of one (a certificate). */
const isFile = ({ name, file }) => Boolean(file) || name === TOKEN || name.endsWith('_FILE');
const byName = new Map(ALL.map(setting => [setting.name, setting]));

/** What values.yaml may set for a role under `settings`, and under `secrets`. Every role connects to Redis. */
const rolesOf = () =>
  Object.fromEntries(
    ROLES.map(role => {
      const own = settingsOf(role);
      const names = ALL.map(({ name }) => name).filter(
        name => /^(REDIS_|QUEUE_PREFIX$)/.test(name) || own.includes(name),
      );
      const plain = names.filter(name => !isSecret(byName.get(name)) && !OF_THE_CHART.test(name));
      const secret = names.filter(name => name === URL_OF_REDIS || isSecret(byName.get(name)));
      return [role, { settings: plain, secrets: [...new Set([...secret, ...secretsOf(role)])] }];
    }),
  );

const environment = roles => ({
  roles,
  files: ALL.filter(isFile).map(({ name }) => name),
  // extraEnv may not have them
  plain: ALL.filter(setting => !isSecret(setting)).map(({ name }) => name),
  shutdownTimeoutMs: SETTINGS.shutdownTimeoutMs.default,
});

function schemaOf(setting) {
  const description = setting.doc.replaceAll('`', '');
  if (setting.kind === 'integer')
    return { description, type: 'integer', minimum: setting.min, maximum: setting.max };
  if (['true', 'false'].includes(setting.default))
    return { description, enum: [true, false, 'true', 'false'] };
  // a password has no place in values
  if (setting.name === URL_OF_REDIS)
    return { description, type: 'string', pattern: '^(rediss?(\\+[a-z]+)?|unix)://[^@]+$' };
  return { description, type: 'string' };
}

/** @returns the schema with its generated definitions */
function schema(written, roles) {
  const settings = names => ({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(names.map(name => [name, schemaOf(byName.get(name))])),
  });
  const unique = lists => [...new Set(lists.flat())];
  const secrets = unique(Object.values(roles).map(role => role.secrets));
  const definitions = {
    settings: settings(unique(Object.values(roles).map(role => role.settings))),
    ...Object.fromEntries(ROLES.map(role => [`${role}Settings`, settings(roles[role].settings)])),
    secrets: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(secrets.map(name => [name, { $ref: '#/definitions/secret' }])),
    },
  };
  return { ...written, definitions: { ...written.definitions, ...definitions } };
}

const json = value => `${JSON.stringify(value, null, 2)}\n`;
const read = file => readFileSync(`${CHART}/${file}`, 'utf8');

/** @returns [file, text] of each generated file */
export function chartFiles(between) {
  const roles = rolesOf();
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const files = {
    'files/environment.json': json(environment(roles)),
    'files/alerts.yml': readFileSync('deploy/monitoring/alerts.yml', 'utf8'),
    'files/grafana-dashboard.json': readFileSync(
      'deploy/monitoring/grafana/dashboards/association-queue.json',
      'utf8',
    ),
    'values.schema.json': json(schema(JSON.parse(read('values.schema.json')), roles)),
    'README.md': between(`${CHART}/README.md`, 'values', valuesTable(read('values.yaml'), roles)),
    'Chart.yaml': read('Chart.yaml').replace(/^(version|appVersion): .*$/gm, `$1: ${version}`),
  };
  return Object.entries(files).map(([file, text]) => [`${CHART}/${file}`, text]);
}
