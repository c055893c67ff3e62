import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

const redis = new Redis(process.env.REDIS_URL, { maxRetriesPerRequest: null });
const queue = new Queue('hubspot-associations', {
  connection: redis,
  prefix: process.env.QUEUE_PREFIX ?? 'bull',
});
await queue.add('associate', {
  version: 1,
  fromObjectType: 'deals',
  toObjectType: 'contacts',
  types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 3 }],
  pairs: [
    ['301', '101'],
    ['302', '103'],
  ],
});
await queue.close();
await redis.quit();
