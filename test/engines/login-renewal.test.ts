/** Passwords and certificates are renewed by their files, while worker, gateway and a producer run: nothing stops, nothing is lost. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createProducer, type Producer } from '../../src/index.js';
import { type Simulator, startSimulator } from '../../src/simulator/server.js';
import { rulesOnPage } from '../support/acl.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { type GatewayProcess, startGateway } from '../support/gateway.js';
import { type CliProcess, startCommand } from '../support/process.js';
import { goodPairs, inputOf } from '../support/samples.js';
import { startTlsServer, type TlsServer } from '../support/tls-server.js';

const [TOKEN, PREFIX, USER] = ['pat-test-renewal', 'renewal', 'associations'];
const NAMES = ['DNS:localhost'];

/** Posts and enqueues without a pause, and knows what was acknowledged. */
class Load {
  readonly acknowledged: (readonly [string, string])[] = [];
  readonly refusals = new Set<string>();
  readonly #pairs = goodPairs(100_000);
  #isOver = false;
  readonly #running: Promise<void>[];
  counts = { gateway: 0, producer: 0 };

  constructor(gateway: GatewayProcess, producer: Producer) {
    this.#running = [
      this.#repeat('gateway', async (from, to) => {
        const { status, body } = await gateway.post([inputOf(from, to)]);
        if (status !== 201) throw new Error(body.message);
      }),
      this.#repeat('producer', (from, to) =>
        producer.enqueue({ fromObjectType: 'contacts', toObjectType: 'companies', from, to }),
      ),
    ];
  }

  /** Resolves when both ways in have acknowledged something that began later. */
  async flows(): Promise<void> {
    const before = { ...this.counts };
    await eventually(() => {
      expect(this.counts.gateway).toBeGreaterThan(before.gateway + 1);
      expect(this.counts.producer).toBeGreaterThan(before.producer + 1);
    });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }

  async #repeat(
    way: 'gateway' | 'producer',
    accept: (from: string, to: string) => Promise<unknown>,
  ): Promise<void> {
    while (!this.#isOver) {
      const [from, to] = this.#pairs.pop() as readonly [string, string];
      try {
        await accept(from, to);
        this.acknowledged.push([from, to]);
        this.counts[way] += 1;
      } catch (error) {
        this.refusals.add(`${way}: ${(error as Error).message}`);
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    }
  }
}

let directory: string;
let authority: Authority;
let tls: TlsServer;
let admin: Redis;
let simulator: Simulator;
let worker: CliProcess;
let gateway: GatewayProcess;
let producer: Producer;
let load: Load;
const file = (name: string) => path.join(directory, name);
const write = (password: string) => writeFileSync(file('password'), `${password}\n`);
const acl = (...rules: string[]) => admin.call('ACL', 'SETUSER', USER, ...rules);
/** Redis ends the connections of a user whose password is changed only if it is told to. */
const cut = () => admin.call('CLIENT', 'KILL', 'USER', USER);

function install({ cert, key }: Certificate, name: string): Certificate {
  const files = { cert: file(`${name}.crt`), key: file(`${name}.key`) };
  copyFileSync(cert, files.cert);
  copyFileSync(key, files.key);
  return files;
}

beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'association-queue-test-renewal-'));
  authority = new Authority();
  copyFileSync(authority.file, file('ca.crt'));
  tls = await startTlsServer({ file: file('ca.crt') }, install(authority.sign(NAMES), 'server'));
  admin = new Redis(tls.server.url, { maxRetriesPerRequest: null });
  admin.on('error', () => {});
  await acl('reset', ...rulesOnPage(USER, 'first-password', PREFIX));
  write('first-password');
  const own = install(authority.sign(), 'client');
  simulator = await startSimulator({ rateLimitCalls: 0, accessToken: TOKEN });
  const place = {
    ...{
      REDIS_URL: tls.url,
      QUEUE_PREFIX: PREFIX,
      REDIS_USERNAME: USER,
      REDIS_PASSWORD_FILE: file('password'),
    },
    ...{ REDIS_CA_FILE: file('ca.crt'), REDIS_CERT_FILE: own.cert, REDIS_KEY_FILE: own.key },
  };
  worker = startCommand('worker', {
    ...{ ...place, METRICS_PORT: '19485', JOB_LOCK_MS: '2000', RATE_LIMIT_CALLS: '100000' },
    ...{ HUBSPOT_BASE_URL: simulator.url, HUBSPOT_ACCESS_TOKEN: TOKEN },
  });
  gateway = await startGateway(place);
  producer = createProducer({
    ...{ redisUrl: tls.url, prefix: PREFIX },
    redisLogin: {
      ...{ username: USER, passwordFile: file('password') },
      ...{ caFile: file('ca.crt'), certFile: own.cert, keyFile: own.key },
    },
  });
  load = new Load(gateway, producer);
  await load.flows();
});
afterEach(async () => {
  await load.stop();
  await producer.close();
  const ends = [await gateway.end(), await worker.end()];
  admin.disconnect();
  await Promise.all([simulator.stop(), tls.server.stop()]);
  authority.remove();
  rmSync(directory, { recursive: true, force: true });
  expect(ends).toEqual([0, 0]);
});

const readiness = async () => {
  const port = /"event":"metrics".*?"port":(\d+)/.exec(worker.output())?.[1];
  const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
  return { status: answer.status, text: await answer.text() };
};
const becomesReady = () => eventually(async () => expect((await readiness()).status).toBe(200));

/** Everything that was acknowledged is created, and nobody has said a password. */
async function expectNothingLost(): Promise<void> {
  await load.flows();
  await load.stop();
  expect(load.acknowledged.length).toBeGreaterThan(10);
  const missing = () =>
    load.acknowledged.filter(([from, to]) => !simulator.ledger.has('contacts', 'companies', from, to));
  await eventually(() => expect(missing()).toEqual([]));
  for (const said of [worker.output(), gateway.output(), ...load.refusals]) {
    expect(said).not.toMatch(/first-password|second-password|third-password/);
    expect(said).not.toMatch(/Unhandled|ioredis/);
  }
}

it('a password is renewed: both are valid for a while, the file has the new one, the old one goes', async () => {
  await acl('>second-password');
  write('second-password');
  await cut(); // they log in with the new one
  await load.flows();
  await acl('<first-password');
  await cut();
  await load.flows();
  expect([...load.refusals].filter(said => /WRONGPASS|NOAUTH/.test(said))).toEqual([]);
  await expectNothingLost();
});

it('a file that is late: everybody is refused and says so, and goes on by itself once the file is right', async () => {
  await acl('>third-password', '<first-password');
  await cut();
  await eventually(async () =>
    expect(await readiness()).toEqual({ status: 503, text: expect.stringContaining('WRONGPASS') }),
  );
  await eventually(() => {
    for (const way of ['gateway', 'producer'])
      expect([...load.refusals].some(said => said.startsWith(way) && said.includes('WRONGPASS'))).toBe(true);
  });
  write('third-password');
  await becomesReady();
  await expectNothingLost();
});

it('certificates of a new authority are taken from their files when Redis comes back with them', async () => {
  const next = new Authority('Next authority');
  try {
    copyFileSync(next.file, file('ca.crt'));
    install(next.sign(NAMES), 'server');
    install(next.sign(), 'client');
    await tls.startAgain();
    await acl('reset', ...rulesOnPage(USER, 'first-password', PREFIX));
    await expectNothingLost();
    await becomesReady();
  } finally {
    next.remove();
  }
});
