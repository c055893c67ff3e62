import { createProducer } from 'hubspot-association-queue-client';

const producer = createProducer(); // the Redis of REDIS_URL, or else redis://127.0.0.1:6379
const contactToCompany = {
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: 'HUBSPOT_DEFINED:279',
};

// one: resolves when Redis has it; calls made within a few milliseconds share a job
await producer.enqueue({ ...contactToCompany, from: '101', to: '202' });

// many: any iterable or async iterable, in constant memory
function* links() {
  for (let id = 1; id <= 1_000; id++) yield { ...contactToCompany, from: id, to: 5_000 + id };
}
const { associations, jobs } = await producer.enqueueMany(links());
console.log(`${associations} associations in ${jobs} jobs`);
await producer.close();
