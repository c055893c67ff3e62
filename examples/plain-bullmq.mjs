import { Queue } from 'bullmq';

const queue = new Queue('hubspot-associations', {
  connection: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
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
