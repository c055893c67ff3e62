import { Queue } from 'bullmq';

const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const queue = new Queue('hubspot-associations', { connection: { url } });
await queue.add('associate', {
  version: 1,
  fromObjectType: 'contacts',
  toObjectType: 'companies',
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }],
  pairs: [['101', '202']],
});
await queue.close();
