import { createProducer } from 'hubspot-association-queue-client';

const producer = createProducer();
const { requestId } = await producer.enqueueMany([
  { fromObjectType: 'contacts', toObjectType: 'companies', from: '101', to: '202' },
]); // enqueue() takes one association; it returns a requestId only with { request: {} }
const { created, rejected } = await producer.waitFor(requestId);
console.log({ created, rejected });
await producer.close();
