/** Examples of the bodies in /openapi.json: what a caller sends, and what it gets. A test holds each to its schema. Pure. */
import type { BatchAnswer, Cancelled, Input, List, Status } from '../schemas.js';

type Examples<Body> = Readonly<Record<string, { readonly summary: string; readonly value: Body }>>;

const ENQUEUED_AT = '2026-11-27T09:30:00.000Z';
const ENDED_AT = '2026-11-27T09:30:04.000Z';
const ID = '1f0c3b52-6c52-4a7e-9d0e-5f3f8f6f0a11';
const links = { status: `/requests/${ID}` };
const input = { from: { id: '101' }, to: { id: '202' } };

export const REQUEST_EXAMPLES: Examples<{ readonly inputs: readonly Input[] }> = {
  typed: {
    summary: 'With association types, as HubSpot takes them',
    value: {
      inputs: [{ ...input, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }] }],
    },
  },
  label: {
    summary: 'With the name of a label, which the gateway looks up',
    value: { inputs: [{ ...input, label: 'Billing' }] },
  },
  unlabelled: {
    summary: 'Without either: the unlabelled type of the object pair',
    value: { inputs: [input, { from: { id: '102' }, to: { id: '202' } }] },
  },
};

const pending: BatchAnswer = {
  ...{ status: 'PENDING', results: [], requestedAt: ENQUEUED_AT, startedAt: ENQUEUED_AT, links },
};
const result = {
  ...{ fromObjectTypeId: '0-1', fromObjectId: '101' },
  ...{ toObjectTypeId: '0-2', toObjectId: '202', labels: [] },
};
const error = {
  ...{ status: 'error' as const, category: 'OBJECT_NOT_FOUND', message: 'No contact with ID 999 exists' },
  context: {
    fromObjectType: ['contacts'],
    fromObjectId: ['999'],
    toObjectType: ['companies'],
    toObjectId: ['202'],
  },
};

export const PENDING_EXAMPLES: Examples<BatchAnswer> = {
  pending: { summary: 'Enqueued', value: pending },
};
export const CREATED_EXAMPLES: Examples<BatchAnswer> = {
  ...PENDING_EXAMPLES,
  complete: {
    summary: 'With Prefer: wait, once all are created',
    value: { ...pending, status: 'COMPLETE', results: [result], completedAt: ENDED_AT },
  },
};
export const PARTIAL_EXAMPLES: Examples<BatchAnswer> = {
  partial: {
    summary: 'One was created, one rejected',
    value: {
      ...{ ...pending, status: 'COMPLETE', results: [result], numErrors: 1, errors: [error] },
      completedAt: ENDED_AT,
    },
  },
};

const request = {
  ...{ id: ID, name: 'contacts.csv', account: 'default', via: 'gateway' as const, state: 'done' as const },
  ...{ enqueuedAt: ENQUEUED_AT, firstAt: '2026-11-27T09:30:02.000Z', lastAt: ENDED_AT, doneAt: ENDED_AT },
  ...{ accepted: 1_200, created: 1_199, rejected: 1, cancelled: 0, queued: 0, refusedLines: 0 },
};
export const STATUS_EXAMPLES: Examples<Status> = {
  done: {
    summary: 'All have their outcome; one was rejected',
    value: {
      ...{ ...request, status: 'COMPLETE', requestedAt: ENQUEUED_AT, completedAt: ENDED_AT, errors: [error] },
      rejections: [{ category: error.category, message: 'No contact with ID … exists', count: 1 }],
    },
  },
};
export const LIST_EXAMPLES: Examples<List> = {
  page: { summary: 'One request', value: { requests: [request] } },
};
export const CANCELLED_EXAMPLES: Examples<Cancelled> = {
  cancelled: {
    summary: 'Half of it was still queued',
    value: { id: ID, cancelled: 600, decided: 600, queued: 0, links },
  },
};
export const CANCELLING_EXAMPLES: Examples<Cancelled> = {
  cancelling: {
    summary: '300 are in a call to HubSpot',
    value: { id: ID, cancelled: 300, decided: 600, queued: 300, links },
  },
};
