/** A connection that is lost before it is made: ioredis then decides, as after any loss, when to connect again. */
import { Socket } from 'node:net';

export const lostSocket = (): Socket => new Socket().destroy();
