/**
 * The command line as a process: help, mistakes, exit codes. Nothing here needs Redis or HubSpot.
 * Runs dist/cli.js, which `npm test` has built.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const NOWHERE = 'redis://:hunter2@127.0.0.1:1';

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = process.cwd()) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd,
    env: { PATH: process.env.PATH, ...env },
    input: '',
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

const COMMANDS = [
  'worker',
  'enqueue',
  'stats',
  'pause',
  'resume',
  'simulator',
  'dashboard',
  'doctor',
  'settings',
  'failures list',
  'failures retry',
  'failures export',
  'failures discard',
  'alerts test',
  'requests cancel',
  'requests list',
  'requests show',
  'requests wait',
  'requests export',
  'requests retry',
];

describe('help', () => {
  test.each(COMMANDS)('%s --help: usage and an example, exit 0', command => {
    const { status, stdout, stderr } = run([...command.split(' '), '--help']);
    expect(stdout).toContain(`Usage: association-queue ${command}`);
    expect(stdout).toMatch(new RegExp(`Example:\\n {2}.*association-queue ${command}`));
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('of a command comes with help COMMAND as well, also of a subcommand', () => {
    for (const command of ['worker', 'failures retry', 'failures', ''])
      expect(run(['help', ...command.split(' ').filter(Boolean)])).toEqual(
        run([...command.split(' ').filter(Boolean), '--help']),
      );
  });

  test.each([
    [['retry', '--help'], 'failures retry or requests retry'],
    [['help', 'wait'], 'requests wait'],
    [['help', 'failures', 'rety'], 'retry'],
    [['wrker', '--help'], 'worker'],
    [['exprt'], 'failures export or requests export'],
  ])('of the unknown command %j is none: it names the one that was meant', (args, meant) => {
    const { status, stdout, stderr } = run(args);
    expect(stderr).toMatch(/unknown command '/);
    expect(stderr).toContain(`: did you mean ${meant}?\n`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  test('of the whole names every command', () => {
    const { status, stdout } = run(['--help']);
    for (const command of ['worker', 'enqueue', 'stats', 'failures', 'simulator'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(stdout).toContain('Example:');
    expect(status).toBe(0);
  });

  test('values are shown as needed, and the simulator tells its conventions', () => {
    expect(run(['enqueue', '--help']).stdout).toContain('--from <type>');
    expect(run(['simulator', '--help']).stdout).toMatch(/--port <n>.*\(default 8787\)[\s\S]*record ids/);
  });

  test('of each command leads to the settings', () => {
    for (const args of [[], ['worker'], ['failures', 'list']])
      expect(run([...args, '--help']).stdout).toMatch(/association-queue\s+settings/);
  });

  test('--version is that of the package', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(run(['--version'])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });
});

describe('mistakes exit 2', () => {
  test.each([
    [['wroker'], "association-queue: unknown command 'wroker': did you mean worker?"],
    [
      ['failures', 'list', '--group-by', 'colour'],
      'association-queue failures list: --group-by "colour" is not one of category, message, objectPair',
    ],
    [['failures', 'lst'], "association-queue failures: unknown command 'lst': did you mean list?"],
    [['requests', 'shw'], "association-queue requests: unknown command 'shw': did you mean show?"],
    [
      ['requests', 'list', '--state', 'opened'],
      'association-queue requests list: --state "opened" is not one of enqueueing, open, done, cancelled, interrupted',
    ],
    [
      ['requests', 'list', '--limit', '0'],
      'association-queue requests list: --limit "0" is not an integer from 1 to 1000',
    ],
    [
      ['enqueue', 'a.csv', '--timeout', '5'],
      'association-queue enqueue: --timeout says how long to --wait: give both',
    ],
    [
      ['requests', 'wait', '--timeout', '1h'],
      'association-queue requests wait: --timeout "1h" is not an integer from 0 to 2000000',
    ],
    [['requests', 'show', '--jsn'], 'association-queue requests show: ID is missing'],
    [['--jsn'], "association-queue: unknown option '--jsn'"],
    [['stats', '--jsn'], 'association-queue stats: unknown option --jsn: did you mean --json?'],
    [['stats', '--json=yes'], 'association-queue stats: --json takes no value'],
    [['stats', 'now'], 'association-queue stats: unexpected argument "now"'],
    [['enqueue'], 'association-queue enqueue: FILE is missing'],
    [['enqueue', 'a.csv', '--from'], 'association-queue enqueue: --from needs a value'],
    [['enqueue', 'a.csv', '--from', '--strict'], 'association-queue enqueue: --from needs a value'],
    [
      ['enqueue', 'a.csv', '--priority', 'low'],
      'association-queue enqueue: --priority: "low" is not one of normal, high',
    ],
    [['enqueue', 'a.csv', '--name', ' '], 'association-queue enqueue: --name is blank'],
    [['enqueue', ''], 'association-queue enqueue: FILE is blank'],
    [
      ['failures', 'discard', '--request', '', '--yes'], // a variable that is not set
      'association-queue failures discard: --request is blank',
    ],
    [['requests', 'cancel', ' ', '--list', ''], 'association-queue requests cancel: ID is blank'],
    [['requests', 'cancel', 'x', '--list', ''], 'association-queue requests cancel: --list is blank'],
    [['pause', '--reason', ''], 'association-queue pause: --reason is blank'],
    [['requests', 'wait', 'x', '--timeout', ''], 'association-queue requests wait: --timeout is blank'],
    [['simulator', '--port', 'x'], 'association-queue simulator: --port "x" is not an integer from 0'],
    [
      ['failures', 'discard'],
      'association-queue failures discard: discard asks before it removes anything, and nobody can answer here: add --yes',
    ],
  ])('%j', (args, line) => {
    const { status, stdout, stderr } = run(args);
    expect(stderr.split('\n')).toContain(line);
    expect(stderr).toMatch(/See: association-queue.* --help( and association-queue settings)?\n$/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  test('no command, or no verb: the help, on stderr', () => {
    for (const args of [[], ['failures'], ['requests']]) {
      const { status, stdout, stderr } = run(args);
      expect(stderr).toContain('Usage: association-queue');
      expect(stdout).toBe('');
      expect(status).toBe(2);
    }
  });

  test('all problems of options and configuration are reported together, without a secret', () => {
    const { status, stderr } = run(
      [
        'enqueue',
        'a.csv',
        'b.csv',
        '--to',
        'a b',
        '--type',
        'X:1',
        '--type',
        'WORK:1',
        '--form',
        'contacts',
        '--strict=1',
      ],
      { BATCH_LINGER_MS: 'x', HUBSPOT_ACCES_TOKEN: 'hunter2', REDIS_URL: 'http://hunter2@x' },
    );
    expect(stderr.trimEnd().split('\n')).toEqual([
      'association-queue enqueue: unknown option --form: did you mean --from?',
      'association-queue enqueue: --strict takes no value',
      'association-queue enqueue: unexpected argument "b.csv"',
      'association-queue enqueue: --to "a b" is not an object type (such as contacts, 0-1 or 2-1234)',
      'association-queue enqueue: --type "X:1" is not an association type (such as HUBSPOT_DEFINED:279)',
      'association-queue enqueue: a.csv does not exist',
      'association-queue enqueue: HUBSPOT_ACCES_TOKEN is not a setting: did you mean HUBSPOT_ACCESS_TOKEN?',
      'association-queue enqueue: REDIS_URL is not a URL that starts with redis://, rediss://, redis+sentinel://, redis+cluster:// (rediss+… with TLS) or unix:///',
      'association-queue enqueue: BATCH_LINGER_MS "x" is not an integer from 0 to 60000 (ms)',
      'See: association-queue enqueue --help and association-queue settings',
    ]);
    expect(status).toBe(2);
  });

  test('the worker needs a token; the simulator needs no configuration and reads none', () => {
    expect(run(['worker'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^association-queue worker: HUBSPOT_ACCESS_TOKEN is not set/),
    });
    expect(run(['simulator', '--seeed', '1'], { REDIS_URL: 'nonsense', HUBSPOT_X: '1' }).stderr).toBe(
      'association-queue simulator: unknown option --seeed: did you mean --seed?\nSee: association-queue simulator --help\n',
    );
  });
});

describe('--check-config', () => {
  const PASSWORD = { DASHBOARD_USER: 'oncall', DASHBOARD_PASSWORD: 'hunter2' };
  test.each([
    ['worker', { HUBSPOT_ACCESS_TOKEN: 'hunter2' }],
    ['gateway', { GATEWAY_HOST: '0.0.0.0', GATEWAY_API_KEYS: 'hunter2' }],
    ['dashboard', { DASHBOARD_HOST: '0.0.0.0', ...PASSWORD }],
  ])('%s: says that what it would start with is valid, and connects to nothing', (command, env) => {
    expect(run([command, '--check-config'], { REDIS_URL: NOWHERE, ...env })).toEqual({
      status: 0,
      stdout: 'configuration is valid\n',
      stderr: '',
    });
  });

  test.each([
    ['worker', {}, 'HUBSPOT_ACCESS_TOKEN is not set'],
    ['gateway', { GATEWAY_HOST: '0.0.0.0' }, 'GATEWAY_API_KEYS is not set'],
    ['dashboard', { DASHBOARD_HOST: '0.0.0.0', DASHBOARD_USER: 'oncall' }, 'DASHBOARD_PASSWORD is not set'],
  ])('%s: prints every problem that would stop it', (command, env, problem) => {
    const { status, stdout, stderr } = run([command, '--check-config'], { RATE_LIMIT_CALLS: 'many', ...env });
    expect(stderr).toContain(`association-queue ${command}: RATE_LIMIT_CALLS "many"`);
    expect(stderr).toContain(`association-queue ${command}: ${problem}`);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  test('a warning that a service would log is printed, and is no problem', () => {
    const env = { HUBSPOT_ACCESS_TOKEN: 'hunter2', GATEWAY_PORT: 'tcp://10.0.0.7:3000' };
    const { status, stderr } = run(['worker', '--check-config'], env);
    expect(stderr).toMatch(/^warning: GATEWAY_PORT .*enableServiceLinks/);
    expect(status).toBe(0);
  });
});

describe('settings', () => {
  test('lists every setting, whatever is wrong with the environment, and shows no value', () => {
    const env = { REDIS_URL: 'http://hunter2', HUBSPOT_ACCESS_TOKEN: 'hunter2', RATE_LIMIT_CALL: 'hunter2' };
    const { status, stdout, stderr } = run(['settings'], env);
    expect(stdout).toMatch(
      /^RATE_LIMIT_CALLS {2}\(default 100, unit: calls\)\n {4}calls allowed per rolling/m,
    );
    expect(stdout).toMatch(/^HUBSPOT_ACCESS_TOKEN {2}\(secret, no default\)$/m);
    expect(stdout).not.toContain('hunter2');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('--env is a file that a command reads without a complaint', () => {
    const { stdout } = run(['settings', '--env']);
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'association-queue-cli-')), 'settings.env');
    writeFileSync(file, stdout);
    expect(run(['worker', '--env-file', file]).stderr).toMatch(
      /^association-queue worker: HUBSPOT_ACCESS_TOKEN is not/,
    );
    writeFileSync(file, stdout.replace(/^#(RATE_LIMIT_CALLS)=.*/m, '$1=many'));
    expect(run(['stats', '--env-file', file]).stderr).toContain('RATE_LIMIT_CALLS "many"');
    rmSync(path.dirname(file), { recursive: true });
  });

  test('stand at the end of an error about a setting, and of no other', () => {
    expect(run(['stats'], { RATE_LIMIT_CALLS: 'many' }).stderr).toMatch(
      /See: association-queue stats --help and association-queue settings\n$/,
    );
    expect(run(['stats', '--jsn']).stderr).toMatch(/See: association-queue stats --help\n$/);
  });
});

describe('Redis away', () => {
  test.each(
    [['stats'], ['stats', '--watch'], ['failures', 'list'], ['failures', 'export']].map(args => [args]),
  )('%j: one line without the password, exit 1, soon', args => {
    const begun = Date.now();
    const { status, stdout, stderr } = run(args, { REDIS_URL: NOWHERE });
    expect(stderr).toMatch(
      /^association-queue .*: Redis at redis:\/\/127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED.*\n$/,
    );
    expect(stderr).not.toContain('hunter2');
    expect(stdout).toBe('');
    expect(status).toBe(1);
    expect(Date.now() - begun).toBeLessThan(5_000);
  });

  test('with LOG_LEVEL=debug the stack is shown', () => {
    expect(run(['stats'], { REDIS_URL: NOWHERE, LOG_LEVEL: 'debug' }).stderr).toMatch(/\n\s+at /);
  });
});

describe('--env-file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'association-queue-cli-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (text: string) => {
    writeFileSync(path.join(folder, '.env'), text);
    return path.join(folder, '.env');
  };

  test('is read by every command, before or after its name, and the environment wins', () => {
    const file = write(`REDIS_URL=${NOWHERE}/7\n`);
    const place = /Redis at redis:\/\/127\.0\.0\.1:1\/7 cannot be used/;
    expect(run(['stats', '--env-file', file]).stderr).toMatch(place);
    expect(run(['--env-file', file, 'failures', 'list']).stderr).toMatch(place);
    expect(run(['stats', `--env-file=${file}`], { REDIS_URL: `${NOWHERE}/3` }).stderr).toMatch(
      /127\.0\.0\.1:1\/3 /,
    );
  });

  test('that cannot be read, or is not named, stops the command', () => {
    const { status, stderr } = run(['stats', '--env-file', path.join(folder, 'none')]);
    expect(stderr).toMatch(/\/none\b/);
    expect([2, 9]).toContain(status); // Node 20 finds it first, and ends with 9
    expect(run(['stats', '--env-file']).stderr).toMatch(/--env-file needs a value/);
  });

  test('a .env of the folder is not read by itself, and the error about a missing setting says so', () => {
    write('HUBSPOT_ACCESS_TOKEN=pat-secret\n');
    const { status, stderr } = run(['worker'], {}, folder);
    expect(stderr).toMatch(/HUBSPOT_ACCESS_TOKEN is not set[\s\S]*The file \.env .* add --env-file \.env\n/);
    expect(stderr).not.toContain('pat-secret');
    expect(status).toBe(2);
    expect(run(['stats'], { REDIS_URL: NOWHERE }, folder).stderr).toMatch(/add --env-file \.env\n$/);
  });

  test('is in the help of every command', () => {
    for (const args of [['worker'], ['failures', 'list'], []])
      expect(run([...args, '--help']).stdout).toMatch(/--env-file <file>/);
  });
});

describe('a port that is taken', () => {
  test.each([
    [['gateway'], 'GATEWAY_PORT'],
    [['dashboard'], 'DASHBOARD_PORT'],
    [['simulator'], '--port'],
  ])('%j names %s', async (args, setting) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = String((server.address() as AddressInfo).port);
    const isOption = setting.startsWith('--');
    const result = run(isOption ? [...args, setting, port] : args, {
      REDIS_URL: NOWHERE,
      ...(!isOption && { [setting]: port }),
    });
    server.close();
    expect(result.stderr).toBe(
      `association-queue ${args[0]}: port ${port} on 127.0.0.1 is taken by another process (EADDRINUSE): set ${setting} to another port, or to 0 for a free one\n`,
    );
    expect(result.stdout).not.toContain('"stopped"');
    expect(result.status).toBe(1);
  });
});

test('LOG_FORMAT=pretty: lines for people; in a pipe it is JSON unless it says so', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const GATEWAY_PORT = String((server.address() as AddressInfo).port);
  const env = { REDIS_URL: NOWHERE, GATEWAY_PORT };
  const pretty = run(['gateway'], { ...env, LOG_FORMAT: 'pretty' }).stdout;
  const json = run(['gateway'], env).stdout;
  server.close();
  expect(pretty).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} {2}INFO {3}gateway {2}HubSpot supports API v4 until 2027-03-30/m,
  );
  expect(JSON.parse(json.split('\n')[0] ?? '')).toMatchObject({ component: 'gateway', event: 'api-version' });
  expect(run(['gateway'], { ...env, LOG_FORMAT: 'nice' }).stderr).toMatch(
    /LOG_FORMAT "nice" is not one of pretty, json/,
  );
});

test.each([
  ['gateway', /INFO {3}gateway {2}gateway: http:\/\/127\.0\.0\.1:\d+, page \/docs /],
  ['dashboard', /INFO {3}dashboard {2}dashboard: http:\/\/127\.0\.0\.1:\d+ /],
])('%s says its address to people when it has started', async (command, line) => {
  const env = { PATH: process.env.PATH, REDIS_URL: NOWHERE, LOG_FORMAT: 'pretty' };
  const child = spawn(process.execPath, [cli, command], {
    env: { ...env, GATEWAY_PORT: '0', DASHBOARD_PORT: '0' },
  });
  const ended = once(child, 'close');
  let output = '';
  for await (const chunk of child.stdout) {
    output += String(chunk);
    if (line.test(output)) child.kill();
  }
  await ended;
  expect(output).toMatch(line);
});
