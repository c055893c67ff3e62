import { createProducer } from 'hubspot-association-queue';

const producer = createProducer({ redisUrl: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' });
const { requestId } = await producer.enqueueMany([
  { fromObjectType: 'contacts', toObjectType: 'companies', from: '101', to: '202' },
]);
const { created, rejected } = await producer.waitFor(requestId);
console.log({ created, rejected });
await producer.close();
