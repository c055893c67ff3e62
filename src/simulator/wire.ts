/** Reads requests and sends replies, whole or broken. Knows HTTP but none of HubSpot's rules. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Reply } from './replies.js';
import type { Transmission } from './strike.js';

/** @returns the whole body; undefined if the caller disconnected before its end */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => resolve(undefined));
    request.once('error', () => resolve(undefined));
  });
}

/** @param cut `reset`: RST instead of an answer; `half`: announces the whole body, sends half and closes the connection */
export function sendReply(
  response: ServerResponse,
  reply: Reply,
  cut: Transmission['cut'],
  extraHeaders: Record<string, string> = {},
): void {
  if (response.destroyed) return;
  if (cut === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const correlationId = randomUUID();
  const { text, type } = payload(reply, correlationId);
  const bytes = Buffer.from(text, 'utf8');
  response.writeHead(reply.status, {
    'Content-Type': type,
    'Content-Length': bytes.length,
    // HubSpot sends this undocumented header with every answer
    'x-hubspot-correlation-id': correlationId,
    ...extraHeaders,
    ...reply.headers,
  });
  if (cut === 'no') response.end(bytes);
  else response.write(bytes.subarray(0, bytes.length >> 1), () => response.destroy());
}

function payload(reply: Reply, correlationId: string): { text: string; type: string } {
  if (reply.json !== undefined) return { text: reply.json, type: JSON_TYPE };
  if (typeof reply.body === 'string') return { text: reply.body, type: 'text/html' };
  const isError = isObject(reply.body) && reply.body.status === 'error' && !('correlationId' in reply.body);
  const body = isError ? { ...(reply.body as object), correlationId } : (reply.body ?? {});
  return { text: JSON.stringify(body), type: JSON_TYPE };
}

const JSON_TYPE = 'application/json;charset=utf-8';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
