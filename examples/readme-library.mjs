import { createProducer } from 'hubspot-association-queue-client';

const producer = createProducer();
const { requestId } = await producer.enqueueMany([
  { fromObjectType: 'contacts', toObjectType: 'companies', from: '101', to: '202' },
]);
const { created, rejected } = await producer.waitFor(requestId);
console.log({ created, rejected });
await producer.close();
