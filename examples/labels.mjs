import { createProducer } from 'hubspot-association-queue-client';

const producer = createProducer({
  hubspot: { accessToken: process.env.HUBSPOT_ACCESS_TOKEN, baseUrl: process.env.HUBSPOT_BASE_URL },
});
const contactToCompany = { fromObjectType: 'contacts', toObjectType: 'companies' };
// a label, as HubSpot shows it for this direction
await producer.enqueue({ ...contactToCompany, from: '101', to: '202', label: 'Decision maker' });
// nothing: HubSpot's unlabelled association of the object pair
await producer.enqueue({ ...contactToCompany, from: '103', to: '202' });
await producer.close();
