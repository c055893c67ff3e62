/** HubSpot, or a server in its place, sends absurd answers. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { atEnd } from '../../bench/support/cleanup.js';
import { peakMemory } from '../../bench/support/processes.js';
import { sleep } from '../../src/shared/runtime/wait.js';
import { grouped } from '../support/check.js';
import { goodPairs, happens } from '../support/rig.js';
import type { Scenario } from '../support/scenario.js';

const MEGABYTES = 100;

export const hugeAnswers: Scenario = {
  name: 'huge-answers',
  fault: `Answers of ${MEGABYTES} MB`,
  how: 'a server in HubSpot’s place answers two calls at once with 100 MB of JSON each; then the simulator answers',
  must: 'the worker reads at most 32 MB of each, its memory stays bounded, it retries; no input is rejected',
  tests: ['test/unit/hubspot/http.test.ts'],
  seconds: 30,
  rig: { env: { BATCH_MAX_INPUTS: '500', MAX_CONCURRENT_CALLS: '2' } },
  async run(rig, check) {
    let calls = 0;
    const server = createServer((request, response) => {
      calls += 1;
      request.resume();
      request.on('end', () => void answerHuge(response));
    }).listen(0, '127.0.0.1');
    atEnd(() => void server.close());
    await happens(() => server.listening, 5_000);
    await rig.enqueue(goodPairs(5_000));
    const { port } = server.address() as AddressInfo;
    const worker = await rig.startWorker({ HUBSPOT_BASE_URL: `http://127.0.0.1:${port}` });
    await happens(() => calls >= 4, 20_000);
    const peak = peakMemory(worker) ?? 0;
    check.must('the worker’s memory at its peak', `${grouped(peak)} MiB`, peak <= 350);
    await worker.stop();
    server.closeAllConnections();
    server.close();
    await rig.startWorker();
    await rig.drains(check);
    await rig.ledger(check);
  },
};

async function answerHuge(response: ServerResponse): Promise<void> {
  response.on('error', () => {});
  response.writeHead(201, { 'content-type': 'application/json' });
  const piece = `${' '.repeat(2 ** 20 - 1)}\n`;
  response.write('{"status":"COMPLETE","results":[');
  for (let n = 0; n < MEGABYTES && !response.destroyed; n++) if (!response.write(piece)) await sleep(2);
  response.end(']}');
}

/** Texts that reach settlement, the logs and the index of rejections. */
const HOSTILE_WORDS = [
  'a lone \ud800 surrogate',
  'NUL \u0000 and \u001b[2J controls',
  `emoji at the cut ${'x'.repeat(480)}😀😀😀`,
  'right \u202e to left',
  'x'.repeat(100_000),
  '__proto__',
];

export const hostileAnswers: Scenario = {
  name: 'hostile-answers',
  fault: 'HubSpot’s messages, contexts and correlation ids contain hostile text',
  how: 'errors with lone surrogates, NUL, 100,000 characters, an emoji at the cut, __proto__, numbers at 2^53, deep contexts, beside good associations',
  must: 'the named inputs are rejected with cleaned words, the others are created; the ledger agrees',
  tests: ['test/unit/hubspot/http.test.ts', 'test/properties/worker-hostile-settlement.test.ts'],
  seconds: 25,
  rig: { env: { BATCH_MAX_INPUTS: '200', RETRY_BACKOFF_MS: '50' } },
  async run(rig, check) {
    const bad = goodPairs(HOSTILE_WORDS.length, 200_000_001);
    for (const [at, [id]] of bad.entries()) {
      const deep = JSON.parse(`${'['.repeat(200)}9007199254740993${']'.repeat(200)}`);
      await rig.simulator.script({
        kind: 'status',
        status: 400,
        rate: 1,
        match: { ids: [id] },
        body: {
          status: 'error',
          category: 'VALIDATION_ERROR',
          message: HOSTILE_WORDS[at],
          correlationId: HOSTILE_WORDS[at],
          context: { id: [id], deep, __proto__: ['x'] },
        },
      });
    }
    const pairs = goodPairs(20_000);
    for (const [at, pair] of bad.entries()) pairs.splice(at * 3_000 + 7, 0, pair);
    await rig.enqueue(pairs, 100);
    rig.good -= bad.length;
    rig.bad += bad.length;
    await rig.startWorker();
    await rig.drains(check, 60_000);
    const rejected = await rig.rejected();
    const exactly = bad.every(([from, to]) => rejected.has(`${from} ${to}`)) && rejected.size === bad.length;
    check.must('rejected', rejected.size, exactly);
    const totals = [await rig.counter('created'), await rig.counter('rejected')];
    check.must(
      'created and rejected in the totals',
      totals.join(' + '),
      totals[0] === rig.good && totals[1] === rig.bad,
    );
  },
};
