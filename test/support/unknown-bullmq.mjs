/**
 * Before a worker starts (`node --import`): its BullMQ becomes a release that nobody knows. One of its scripts has another
 * line, which does nothing.
 */
import { createRequire } from 'node:module';

const scripts = createRequire(import.meta.url)('bullmq/dist/cjs/scripts/index.js');
scripts.moveToActive.content += '\n-- of a later release\n';
