import { Client } from '@hubspot/api-client';

const hubspot = new Client({
  accessToken: process.env.GATEWAY_API_KEY ?? 'any',
  basePath: process.env.GATEWAY_URL ?? 'http://127.0.0.1:3000',
});
const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];
const { status, links } = await hubspot.crm.associations.v4.batchApi.create('contacts', 'companies', {
  inputs: [{ _from: { id: '101' }, to: { id: '202' }, types }],
});
console.log(status, links?.status);
