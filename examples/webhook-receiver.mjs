import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const secret = process.env.REQUEST_WEBHOOK_SECRET;
const MAX_AGE_SECONDS = 300;

function isGenuine(body, header = '') {
  const { t, v1 = '' } = Object.fromEntries(header.split(',').map(part => part.split('=')));
  const wanted = createHmac('sha256', secret).update(`${t}.${body}`).digest();
  const given = Buffer.from(v1, 'hex');
  const isRecent = Math.abs(Date.now() / 1000 - Number(t)) <= MAX_AGE_SECONDS;
  return isRecent && given.length === wanted.length && timingSafeEqual(given, wanted);
}

createServer(async (request, response) => {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    return; // the sender hung up: without this line the process would end
  }
  const body = Buffer.concat(chunks).toString(); // as it came: parsed and written again it would be another text
  if (!isGenuine(body, request.headers['x-association-queue-signature']))
    return response.writeHead(401).end();
  const { event, id, request: done } = JSON.parse(body);
  console.log(id, event, done?.name, done?.created, done?.rejected); // an id that was seen before: ignore it
  response.writeHead(204).end();
}).listen(Number(process.env.PORT ?? 8080));
