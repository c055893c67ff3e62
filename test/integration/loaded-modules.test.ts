/** What a process of the built package loads, and what it does not. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

it('nothing of OpenTelemetry but its API, which prom-client brings along, is loaded where traces are off', () => {
  const script = `
    import Module from 'node:module';
    for (const part of ['worker/main', 'gateway/main', 'producer/main', 'index']) await import('./dist/' + part + '.js');
    console.log(JSON.stringify(Object.keys(Module._cache).filter(file => /@opentelemetry.(?!api)|bullmq-otel/.test(file))));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  expect(JSON.parse(output)).toEqual([]);
});
