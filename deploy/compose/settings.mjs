// Writes the settings of each service that are secret, or that follow from them, into a volume of its own. docker-compose.yml
// runs it once at `docker compose up`, before the services start, so that no secret is in a container's environment.
//   1. Each service gets `env`, a file that it reads with --env-file, with the secrets that it needs and no others.
//   2. The access token is in a file of its own, which the worker reads again when HubSpot refuses the token.
//   3. Without HUBSPOT_ACCESS_TOKEN the simulator stands in for HubSpot.
//   4. A gateway key and a dashboard password that .env does not set are generated once, and kept in `generated.env`.
// `docker compose run --rm settings show` prints what was generated. Nothing else here prints a secret.
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

const FILE = process.env.SETTINGS_FILE ?? '/run/secrets/settings';
/** has a folder for each service, which is /run/settings in the service */
const FOLDER = process.env.SETTINGS_FOLDER ?? '/settings';
const IN_SERVICE = '/run/settings';
const TOKEN = 'HUBSPOT_ACCESS_TOKEN';
const SIMULATOR = 'http://simulator:8787';
/** what is generated if .env does not set it */
const GENERATED = { GATEWAY_API_KEYS: 'gateway key', DASHBOARD_PASSWORD: 'dashboard password' };
/** `SECRETS_OF_WORKER: A B` in docker-compose.yml → [['worker', ['A', 'B']], …] */
const SERVICES = Object.entries(process.env).flatMap(([name, list]) => {
  const service = /^SECRETS_OF_(\w+)$/.exec(name)?.[1]?.toLowerCase();
  return service ? [[service, list.split(' ').filter(Boolean)]] : [];
});

try {
  if (process.argv[2] === 'show') show();
  else write();
} catch (error) {
  console.error(`settings: ${error.message}`);
  process.exitCode = 1;
}

function write() {
  const given = Object.fromEntries(
    Object.entries(parseEnv(readFileSync(FILE, 'utf8'))).filter(([, value]) => value.trim() !== ''),
  );
  const generated = [];
  for (const [service, secrets] of SERVICES) {
    const folder = path.join(FOLDER, service);
    mkdirSync(folder, { recursive: true });
    const made = generatedIn(folder);
    const own = {};
    for (const name of secrets) {
      if (name === TOKEN) Object.assign(own, hubspot(given, folder));
      else if (given[name] !== undefined) own[name] = given[name];
      else if (name in GENERATED) {
        own[name] = made[name] ??= randomBytes(24).toString('base64url');
        generated.push(GENERATED[name]);
      }
    }
    // first what must survive: a process that is killed here generates nothing twice
    if (Object.keys(made).length > 0) writeFile(path.join(folder, 'generated.env'), linesOf(made));
    writeFile(path.join(folder, 'env'), linesOf(own));
  }
  console.log(`settings: written for ${SERVICES.map(([service]) => service).join(', ')}`);
  if (given[TOKEN] === undefined && given.HUBSPOT_BASE_URL === undefined)
    console.log(
      `settings: ${TOKEN} is not set in .env, so the simulator stands in for HubSpot: nothing reaches a HubSpot account`,
    );
  if (generated.length > 0)
    console.log(
      `settings: generated: ${[...new Set(generated)].join(', ')}; to see them: docker compose run --rm settings show`,
    );
}

/** What a service needs to call HubSpot, or the simulator. */
function hubspot(given, folder) {
  const file = 'hubspot-token';
  const base = given.HUBSPOT_BASE_URL ?? (given[TOKEN] === undefined ? SIMULATOR : undefined);
  writeFile(path.join(folder, file), `${given[TOKEN] ?? 'simulator'}\n`);
  return {
    [`${TOKEN}_FILE`]: `${IN_SERVICE}/${file}`,
    ...(base !== undefined && { HUBSPOT_BASE_URL: base }),
  };
}

function show() {
  const lines = SERVICES.flatMap(([service]) => {
    const used = Object.values(read(path.join(FOLDER, service, 'env')));
    // .env may have set another one since
    return Object.entries(generatedIn(path.join(FOLDER, service))).filter(([, value]) =>
      used.includes(value),
    );
  });
  if (lines.length === 0) console.log('nothing was generated: .env has the gateway keys and the password');
  for (const [name, value] of lines) console.log(`${GENERATED[name] ?? name}: ${value}`);
}

function generatedIn(folder) {
  return read(path.join(folder, 'generated.env'));
}

function read(file) {
  return existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
}

/** @throws Error if a value has every kind of quote, which no such file can hold */
function linesOf(values) {
  return Object.entries(values)
    .map(([name, value]) => {
      const quote = ["'", '`', '"'].find(
        each => !value.includes(each) && !(each === '"' && value.includes('\\')),
      );
      if (quote === undefined)
        throw new Error(`${name} has quotation marks of every kind; use a value without`);
      return `${name}=${quote}${value}${quote}\n`;
    })
    .join('');
}

/** The services run as another user, who may read and not write. A file is never half written. */
function writeFile(file, text) {
  const draft = `${file}.new`;
  writeFileSync(draft, text);
  chmodSync(draft, 0o444);
  renameSync(draft, file);
}
