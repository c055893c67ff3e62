/**
 * The ceiling of the gateway: a fastify route with the same path, the same schema of the body and an answer of the same
 * shape. No queue, no durability, no limits, no metrics.
 * Runs as a separate process: `node bare-fastify.js` prints its address and ends on SIGTERM.
 */
import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { pendingAnswer } from '../../src/gateway/answers.js';
import { CREATE_PATHS } from '../../src/gateway/routes/create.js';
import { requestSchema } from '../../src/gateway/schemas.js';

const MAX_INPUTS = 50_000;
const [path = ''] = CREATE_PATHS;

const app = Fastify({ bodyLimit: MAX_INPUTS * 512 });
app.post(path, { schema: { body: requestSchema(MAX_INPUTS) } }, async (_request, reply) =>
  reply.code(201).send(pendingAnswer(randomUUID(), Date.now())),
);
process.on('SIGTERM', () => process.exit(0));
console.log(`listening on ${await app.listen({ port: 0, host: '127.0.0.1' })}`);
