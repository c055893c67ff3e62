/**
 * /docs: the OpenAPI description as a page for people, on which each call can be tried against this gateway.
 * @fastify/swagger-ui serves the page and all that it loads, so that it works in a closed network. This file has its options.
 */
import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';

/** Swagger UI has no viewport, so that a phone shows its page as wide as a desktop's. */
const VIEWPORT = `const viewport = document.createElement('meta');
viewport.name = 'viewport';
viewport.content = 'width=device-width, initial-scale=1';
document.head.append(viewport);
`;

/** Tables of parameters and answers have two columns with fixed widths; below 640 px their cells stand below each other. */
const NARROW = `@media (max-width: 640px) {
  .swagger-ui .wrapper { padding: 0 10px; }
  .swagger-ui .info { margin: 20px 0; }
  .swagger-ui .opblock .opblock-summary-path { max-width: calc(100vw - 150px); overflow-wrap: anywhere; }
  .swagger-ui .opblock .opblock-summary-description { flex-basis: 100%; }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; }
  .swagger-ui .opblock-section-header { flex-wrap: wrap; }
  .swagger-ui table thead { display: none; }
  .swagger-ui table tbody tr, .swagger-ui table tbody tr td { display: block; width: auto; max-width: none; }
  .swagger-ui table tbody tr td { padding: 4px 0; }
  .swagger-ui .parameters-col_description input { max-width: 100%; width: 100%; }
  .swagger-ui .highlight-code, .swagger-ui pre { max-width: calc(100vw - 60px); overflow-x: auto; }
}
`;

export const docsOptions = (): FastifySwaggerUiOptions => ({
  routePrefix: '/docs',
  uiConfig: {
    layout: 'BaseLayout', // without the bar in which another description could be opened
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    defaultModelExpandDepth: 5,
    displayRequestDuration: true,
    tryItOutEnabled: false,
  },
  staticCSP: {
    'default-src': "'self'",
    'img-src': ["'self'", 'data:'],
    'style-src': ["'self'", "'unsafe-inline'"],
    'object-src': "'none'",
    'base-uri': "'self'",
    'frame-ancestors': "'none'",
  },
  theme: {
    title: 'Association queue: gateway',
    css: [{ filename: 'narrow.css', content: NARROW }],
    js: [{ filename: 'viewport.js', content: VIEWPORT }],
  },
});
