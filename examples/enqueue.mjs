import { createProducer } from 'hubspot-association-queue';

const producer = createProducer({ redisUrl: process.env.REDIS_URL, prefix: process.env.QUEUE_PREFIX });
const contactToCompany = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];

// one: resolves when Redis has it; calls made within a few milliseconds share a job
await producer.enqueue({
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  from: '101',
  to: '202',
  types: contactToCompany,
});

// many: any iterable or async iterable, in constant memory
function* links() {
  for (let id = 1; id <= 1_000; id++)
    yield {
      fromObjectType: 'contacts',
      toObjectType: 'companies',
      from: id,
      to: 5_000 + id,
      types: contactToCompany,
    };
}
const { associations, jobs } = await producer.enqueueMany(links());
console.log(`${associations} associations in ${jobs} jobs`);
await producer.close();
