/**
 * /docs: the OpenAPI description as a page for people. It loads nothing and runs no script, so that it works in a closed
 * network and under any content security policy. Pure.
 */
import type { OpenApi, Operation } from './openapi.js';

const EXAMPLE = `curl http://127.0.0.1:3000/crm/v4/associations/contacts/companies/batch/create \\
  -H 'content-type: application/json' -H 'authorization: Bearer <key>' -H 'prefer: wait=10' \\
  -d '{"inputs":[{"from":{"id":"101"},"to":{"id":"202"},
       "types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}]}]}'`;

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { line-height: 1.2; }
  h2 { margin-top: 2.5rem; font-size: 1.1rem; overflow-wrap: anywhere; }
  code, pre { font: 0.9em ui-monospace, monospace; }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid #8886; border-radius: 6px; }
  table { border-collapse: collapse; width: 100%; }
  td { padding: 0.3rem 0.8rem 0.3rem 0; vertical-align: top; border-top: 1px solid #8883; }
  td:first-child { white-space: nowrap; }`;

export function docsPage({ info, paths }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      section(`${method.toUpperCase()} ${path}`, operation),
    ),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html(info.title)}</title>
<style>${STYLE}
</style>
</head>
<body>
<h1>${html(info.title)}</h1>
<p>${html(info.description)} For programs: <a href="/openapi.json">/openapi.json</a>. Version ${html(info.version)}.</p>
<pre>${html(EXAMPLE)}</pre>
${operations.join('\n')}
</body>
</html>
`;
}

function section(title: string, { summary, description, parameters = [], responses }: Operation): string {
  const rows = [
    ...parameters.map(({ name, in: place, description }) => row(`${name} (${place})`, description)),
    ...Object.entries(responses).map(([status, { description }]) => row(status, description)),
  ];
  return `<h2><code>${html(title)}</code></h2>
<p>${html(summary)}. ${html(description ?? '')}</p>
<table>
${rows.join('\n')}
</table>`;
}

const row = (name: string, text: string): string =>
  `<tr><td><code>${html(name)}</code></td><td>${html(text)}</td></tr>`;

const html = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
