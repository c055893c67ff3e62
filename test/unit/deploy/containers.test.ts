/**
 * The files for containers match the code. Checked as text: no engine and no YAML parser is needed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../../src/shared/runtime/config.js';
import { SETTINGS, type Setting } from '../../../src/shared/runtime/settings.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8');
const TOKEN_FILE = 'HUBSPOT_ACCESS_TOKEN_FILE';
const settings = Object.values<Setting>(SETTINGS);
const known = [...settings.map(({ name }) => name), TOKEN_FILE];
/** what docker-compose.yml takes from .env beside the settings */
const OF_COMPOSE = ['COMPOSE_PROFILES', 'REDIS_PORT', 'PROMETHEUS_PORT', 'GRAFANA_PORT'];

/** a port of a container, and the variable of .env that says where it is on this machine */
const published = (variable: string, port: number) => `127.0.0.1:\${${variable}:-${port}}:${port}`;

const captures = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found]) => found ?? '');

describe('.env.example', () => {
  const lines = read('.env.example').split('\n');
  const assignments = lines.flatMap(line => /^#?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line)?.slice(1, 3) ?? []);
  const given = new Map<string, string>();
  for (let at = 0; at < assignments.length; at += 2)
    given.set(assignments[at] ?? '', assignments[at + 1] ?? '');

  test('holds every setting, in the order of config.ts, with its default', () => {
    expect([...given.keys()].filter(name => name !== TOKEN_FILE)).toEqual([
      ...settings.map(({ name }) => name),
      ...OF_COMPOSE,
    ]);
    for (const setting of settings)
      expect([setting.name, given.get(setting.name)]).toEqual([
        setting.name,
        setting.kind === 'secret' ? '' : String(setting.default),
      ]);
  });

  test('explains each of them', () => {
    for (const name of settings.map(setting => setting.name)) {
      const at = lines.findIndex(line => line.replace(/^#/, '').startsWith(`${name}=`));
      expect(lines[at - 1]).toMatch(/^# \S/);
    }
  });

  test('copied to .env as it is, only the token is missing, and compose starts the simulator', () => {
    const active = captures(lines.join('\n'), /^([A-Z][A-Z0-9_]*)=/gm);
    expect(active).toEqual(['HUBSPOT_ACCESS_TOKEN', 'COMPOSE_PROFILES']);
    expect(given.get('COMPOSE_PROFILES')).toBe('simulator');
    // with --env-file every command reads the names that only compose needs as well
    expect(parseConfig(Object.fromEntries(OF_COMPOSE.map(name => [name, '1']))).warnings).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  const compose = read('docker-compose.yml');
  /** a service with everything indented below its name */
  const service = (name: string) =>
    new RegExp(`^  ${name}:\\n((?: {4}.*\\n|\\n)+)`, 'm').exec(compose)?.[1] ?? '';

  test('is indented as YAML wants it, and has these services', () => {
    expect(compose).not.toMatch(/\t/);
    for (const line of compose.split('\n')) expect((/^ */.exec(line)?.[0].length ?? 0) % 2).toBe(0);
    expect(captures(compose, /^([a-z]\S*):$/gm)).toEqual(['services', 'secrets', 'volumes']);
    expect(captures(compose, /^ {2}([a-z][\w-]*):$/gm)).toEqual([
      'settings',
      'redis',
      'worker',
      'gateway',
      'dashboard',
      'simulator',
      'prometheus',
      'grafana',
      'settings',
      'redis',
      'prometheus',
      'worker-settings',
      'gateway-settings',
      'dashboard-settings',
    ]);
  });

  test('Redis keeps what it is given: on disk, in a volume, and evicts nothing', () => {
    const redis = service('redis');
    expect(redis).toMatch(/--appendonly yes\b/);
    expect(redis).toMatch(/--maxmemory-policy noeviction\b/);
    expect(redis).toMatch(/- redis:\/data$/m);
    expect(redis).toMatch(/healthcheck:/);
  });

  test('the worker scales, waits for Redis, and may drain before it is killed', () => {
    const worker = service('worker');
    expect(worker).not.toMatch(/container_name|ports:/);
    expect(worker).toMatch(/condition: service_healthy/);
    expect(worker).toMatch(/restart: unless-stopped/);
    const [grace] = captures(worker, /stop_grace_period: (\d+)s/g);
    expect(Number(grace) * 1_000).toBeGreaterThan(SETTINGS.shutdownTimeoutMs.default);
  });

  test('the gateway is reachable from this machine only, and may answer before it is killed', () => {
    const gateway = service('gateway');
    expect(gateway).toMatch(/GATEWAY_HOST: 0\.0\.0\.0/);
    expect(captures(gateway, /^ {6}- (.*:\d+)$/gm)).toEqual([published('GATEWAY_PORT', 3_000)]);
    expect(gateway).toMatch(/fetch\('http:\/\/127\.0\.0\.1:3000\/healthz'\)/);
    expect(gateway).toMatch(/condition: service_healthy/);
    const [grace] = captures(gateway, /stop_grace_period: (\d+)s/g);
    expect(Number(grace) * 1_000).toBeGreaterThan(SETTINGS.shutdownTimeoutMs.default);
  });

  const SERVICES = [
    ...['settings', 'redis', 'worker', 'gateway', 'dashboard'],
    ...['simulator', 'prometheus', 'grafana'],
  ];
  const COMMANDS = ['worker', 'gateway', 'dashboard'] as const;
  const LOCKED_UP = / {4}cap_add: \[DAC_OVERRIDE\].*\n {4}network_mode: none\n/;

  test('no container writes outside of its volume and /tmp, or has or gains a capability', () => {
    expect(captures(compose, /^x-hardened: &hardened\n((?: {2}.*\n)+)/gm)).toEqual([
      "  read_only: true\n  cap_drop: [ALL]\n  security_opt: ['no-new-privileges:true']\n  tmpfs: [/tmp]\n",
    ]);
    for (const name of SERVICES) {
      expect([name, service(name).startsWith('    <<: *hardened\n')]).toEqual([name, true]);
      // no later line weakens it; settings.mjs, which ends at once, reads a .env that only its owner may read
      const text = name === 'settings' ? service(name).replace(LOCKED_UP, '') : service(name);
      expect([name, text]).not.toEqual([
        name,
        expect.stringMatching(/^ {4}(read_only|cap_add|cap_drop|security_opt|privileged|network_mode|pid):/m),
      ]);
      expect(service(name)).not.toMatch(/docker\.sock/);
    }
    expect(service('settings')).toMatch(LOCKED_UP);
    expect(captures(compose, /^ {4}user: (\S+)/gm)).toEqual(['root', 'redis']);
  });

  test('images of others are pinned by digest, with their version; ours is built here', () => {
    for (const name of SERVICES) {
      const [image] = captures(service(name), /^ {4}image: (\S+)$/gm);
      if (/^ {4}build: \.$/m.test(service(name))) expect(image).toBe('hubspot-association-queue');
      else expect(image).toMatch(/^[a-z/]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
    }
  });

  test('each container has the settings that its command reads, and no others', async () => {
    const { settingsOf } = (await import(`${root}/scripts/compose-variables.mjs`)) as {
      settingsOf(command: string): string[];
    };
    expect(compose).not.toMatch(/env_file/);
    const names = (name: string) => captures(service(name), /^ {6}([A-Z][A-Z0-9_]*):/gm);
    const secretsOf = (name: string) =>
      captures(service('settings'), new RegExp(`^ {6}SECRETS_OF_${name.toUpperCase()}: (.*)$`, 'gm')).flatMap(
        list => list.split(' '),
      );
    for (const command of COMMANDS) {
      const given = [...names(command), ...secretsOf(command)].filter(name => !name.startsWith('OTEL_'));
      expect([command, given.toSorted()]).toEqual([command, settingsOf(command).toSorted()]);
    }
    for (const name of ['redis', 'simulator', 'prometheus']) expect([name, names(name)]).toEqual([name, []]);
    // a secret is in no environment, and only in the files of the services that need it, whatever the code says
    for (const secret of [
      ...settings.filter(({ kind }) => kind === 'secret').map(({ name }) => name),
      'OTEL_EXPORTER_OTLP_HEADERS',
    ])
      expect([secret, SERVICES.filter(name => names(name).includes(secret))]).toEqual([secret, []]);
    const holders = (secret: string) => SERVICES.filter(name => secretsOf(name).includes(secret));
    expect(holders('HUBSPOT_ACCESS_TOKEN')).toEqual(['worker', 'gateway']);
    expect(holders('GATEWAY_API_KEYS')).toEqual(['gateway']);
    expect(holders('DASHBOARD_PASSWORD')).toEqual(['dashboard']);
    for (const secret of ['ALERT_WEBHOOK_URL', 'REQUEST_WEBHOOK_URL', 'REQUEST_WEBHOOK_SECRET'])
      expect(holders(secret)).toEqual(['worker', 'gateway', 'dashboard']);
    // the Redis of compose has no password
    for (const secret of ['REDIS_PASSWORD', 'REDIS_SENTINEL_PASSWORD']) expect(holders(secret)).toEqual([]);
    expect(settings.filter(({ kind }) => kind === 'secret')).toHaveLength(8);
  });

  test('no port is open to other machines', () => {
    const ports = captures(compose, /^ {6}- (\S+:\d+)(?: #.*)?$/gm);
    expect(ports).toHaveLength(5);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/);
    // a Redis of this machine has 6379
    expect(captures(service('redis'), /\$\{REDIS_PORT:-(\d+)\}/g)).toEqual(['6380']);
  });

  test('services start when their settings are written, and read only their own', () => {
    for (const name of COMMANDS) {
      const text = service(name);
      expect(text).toMatch(/^ {4}entrypoint: \[node, dist\/cli\.js, --env-file, \/run\/settings\/env\]$/m);
      expect(text).toMatch(/^ {6}settings:\n {8}condition: service_completed_successfully$/m);
      expect(captures(text, /^ {6}- (.*settings:.*)$/gm)).toEqual([`${name}-settings:/run/settings:ro`]);
      expect(service('settings')).toContain(`- ${name}-settings:/settings/${name}\n`);
    }
    expect(compose).toMatch(/^secrets:\n {2}settings:\n {4}file: \.env$/m);
    expect(SERVICES.filter(name => /^ {4}secrets:/m.test(service(name)))).toEqual(['settings']);
    expect(existsSync(`${root}/deploy/compose/settings.mjs`)).toBe(true);
  });

  test('the dashboard is reachable from this machine only, asks for a password, and has no token', () => {
    const dashboard = service('dashboard');
    expect(dashboard).toMatch(/DASHBOARD_HOST: 0\.0\.0\.0 # .*gives it DASHBOARD_PASSWORD/);
    expect(dashboard).toMatch(/DASHBOARD_USER: \$\{DASHBOARD_USER:-admin\}/);
    expect(dashboard).not.toMatch(/HUBSPOT_ACCESS_TOKEN/);
    expect(captures(dashboard, /^ {6}- (.*:\d+)$/gm)).toEqual([published('DASHBOARD_PORT', 3_001)]);
    expect(dashboard).toMatch(/fetch\('http:\/\/127\.0\.0\.1:3001\/healthz'\)/);
  });

  test('only the profile of that name has a simulator', () => {
    expect(service('simulator')).toMatch(/profiles: \[simulator\]/);
    expect(service('worker')).not.toMatch(/simulator/);
  });

  test('only the monitoring profile has Prometheus and Grafana, on this machine only, with the files of deploy/monitoring', () => {
    const mounted: string[] = [];
    for (const name of ['prometheus', 'grafana']) {
      expect(service(name)).toMatch(/profiles: \[monitoring\]/);
      expect(service(name)).toMatch(/- 127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+$/m);
      mounted.push(...captures(service(name), /^ {6}- \.\/(\S+?):/gm));
    }
    expect(mounted).toHaveLength(4);
    for (const path of mounted) expect([path, existsSync(`${root}/${path}`)]).toEqual([path, true]);
    // the dashboard uses the provisioned data source
    const [uid] = captures(
      read('deploy/monitoring/grafana/provisioning/datasources/prometheus.yml'),
      /uid: (\S+)/g,
    );
    expect(read('deploy/monitoring/grafana/dashboards/association-queue.json')).toContain(`"uid": "${uid}"`);
  });

  test('names no environment variable that config.ts does not know', () => {
    const named = [
      // Grafana's own, OpenTelemetry's, and the lists for settings.mjs
      ...captures(compose, /^ {6}((?!GF_|OTEL_|SECRETS_OF_)[A-Z][A-Z0-9_]*):/gm),
      ...captures(compose, /\$\{((?!OTEL_)[A-Z0-9_]+)/g),
    ];
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect([...known, ...OF_COMPOSE]).toContain(name);
  });
});

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const [build = '', final = ''] = dockerfile.split(/^(?=FROM )/m).slice(1);
  const copied = captures(build, /^COPY (.+) \S+$/gm).flatMap(sources => sources.split(' '));

  test('copies what exists, and what .dockerignore lets through', () => {
    const allowed = captures(read('.dockerignore'), /^!(.+)$/gm);
    expect(copied.length).toBeGreaterThan(0);
    for (const source of copied) expect([source, existsSync(`${root}/${source}`)]).toEqual([source, true]);
    expect(copied.toSorted()).toEqual(allowed.toSorted());
  });

  test('the final stage holds what the build made, and nothing of its tools', () => {
    expect(captures(final, /^COPY (.+) \S+$/gm)).toEqual([
      '--from=build /app/package.json',
      '--from=build /app/node_modules',
      '--from=build /app/dist',
    ]);
    expect(build).toMatch(/npm prune --omit=dev/);
    expect(final).not.toMatch(/^RUN npm/m);
  });

  test('runs the worker as its main process, without being root', () => {
    expect(final).toMatch(/^USER node$/m);
    expect(final).toMatch(/^STOPSIGNAL SIGTERM$/m);
    // in the form of a list: no shell stands between a signal and the worker
    expect(final).toMatch(/^ENTRYPOINT \["node", "dist\/cli\.js"\]$/m);
    expect(final).toMatch(/^CMD \["worker"\]$/m);
    expect(JSON.parse(read('package.json')).bin).toEqual({ 'association-queue': 'dist/cli.js' });
  });

  test('its health check asks the port that is the default', () => {
    expect(final).toMatch(new RegExp(`METRICS_PORT \\|\\| ${SETTINGS.metricsPort.default};.*/healthz`));
  });

  test('both stages stand on one image, pinned by digest', () => {
    const images = captures(dockerfile, /^FROM (\S+)/gm);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    for (const image of images) expect(image).toMatch(/^node:\d+\.\d+\.\d+-slim@sha256:[0-9a-f]{64}$/);
  });

  test('runs on a Node that package.json allows', () => {
    const majors = captures(dockerfile, /^FROM node:(\d+)\.\d+\.\d+-slim/gm).map(Number);
    expect(majors).toEqual([22, 22]);
    expect(JSON.parse(read('package.json')).engines.node).toBe('>=20.19');
  });
});

describe('.github', () => {
  const workflows = readdirSync(`${root}/.github/workflows`).map(name => `.github/workflows/${name}`);

  test.each(workflows)(
    '%s: actions are pinned by commit, with their version; it may read and no more',
    file => {
      const text = read(file);
      const uses = captures(text, /^.*\buses: *(.*)$/gm);
      expect(uses.length).toBeGreaterThan(0);
      for (const action of uses) expect(action).toMatch(/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      expect(captures(text, /^permissions:\n((?: {2}.*\n)+)/gm)).toEqual(['  contents: read\n']);
      // no job has more permissions, but the one that publishes: npm believes its identity, and needs no secret
      const publishes = file.endsWith('/release.yml')
        ? ['      contents: read\n      id-token: write\n']
        : [];
      expect(captures(text, /^ +permissions:\n((?: {6}.*\n)+)/gm)).toEqual(publishes);
      expect(captures(text, /^ +(permissions):/gm)).toHaveLength(publishes.length);
      for (const step of text.split(/^ {6}- /m).filter(step => step.includes('actions/checkout@')))
        expect(step).toMatch(/persist-credentials: false/);
      expect(text).not.toMatch(/pull_request_target|secrets\./);
    },
  );

  test('what is pinned is kept up to date', () => {
    expect(captures(read('.github/dependabot.yml'), /package-ecosystem: (\S+)/g)).toEqual([
      'npm',
      'github-actions',
      'docker',
      'docker-compose',
    ]);
  });
});

test('nothing that is deployed says "latest"', () => {
  const files = readdirSync(`${root}/deploy`, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ya?ml|json)$/.test(name))
    .map(name => `deploy/${name}`);
  for (const file of [...files, 'docker-compose.yml', 'Dockerfile'])
    expect([file, captures(read(file), /(image:.*:latest|FROM \S+:latest)/g)]).toEqual([file, []]);
});

describe('SECURITY.md', () => {
  const text = read('SECURITY.md');

  test('names every secret, and its links lead somewhere', () => {
    for (const { name } of settings.filter(({ kind }) => kind === 'secret'))
      expect(text).toContain(`\`${name}\``);
    const links = captures(text, /\]\(((?!https:)[^)#]+)/g);
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) expect([link, existsSync(`${root}/${link}`)]).toEqual([link, true]);
  });

  test('says how long each kind of key is kept that holds what others wrote', () => {
    const keys = captures(
      read('docs/design/architecture.md'),
      /^\| `([a-z-]+:)?[^`]*` \| (?:hash|string|stream)/gm,
    );
    expect(keys.length).toBeGreaterThan(5);
    for (const key of new Set(keys.filter(key => key !== ''))) expect(text).toContain(`\`${key}`);
  });
});
