/** Answers, in HubSpot's shape on the bare socket, bytes that never become a request, and closes the connection. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Refusal, type RefusalStatus, refusalBody } from './refusal.js';

/** A client that keeps the connection open after such an answer is disconnected after this time. */
const FAREWELL_MS = 1_000;

/** Bytes that are not HTTP, arrive too slowly, or have endless headers never become a request. */
export function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  const statuses: Readonly<Record<string, BrokenStatus>> = {
    HPE_HEADER_OVERFLOW: 431,
    ERR_HTTP_REQUEST_TIMEOUT: 408,
  };
  if (error.code === 'ECONNRESET') socket.destroy();
  else answerBroken(socket, statuses[error.code ?? ''] ?? 400);
}

const BROKEN = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
} as const;
type BrokenStatus = keyof typeof BROKEN & RefusalStatus;

export function answerBroken(socket: Socket, status: BrokenStatus): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const phrase = BROKEN[status];
  const body = JSON.stringify(refusalBody(new Refusal(status, phrase), randomUUID()));
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  const hangUp = setTimeout(() => socket.destroy(), FAREWELL_MS);
  socket.once('close', () => clearTimeout(hangUp));
}
