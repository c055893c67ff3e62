# The whole product in one image: the worker by default, any other command by its name.
#   docker build -t hubspot-association-queue .
#   docker run --rm hubspot-association-queue --help

FROM node:22.22.0-slim@sha256:dd9d21971ec4395903fa6143c2b9267d048ae01ca6d3ea96f16cb30df6187d94 AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json tsconfig.page.json ./
COPY scripts/build.mjs scripts/
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22.22.0-slim@sha256:dd9d21971ec4395903fa6143c2b9267d048ae01ca6d3ea96f16cb30df6187d94
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
USER node
EXPOSE 9464
# The worker handles SIGTERM itself, also as PID 1: calls in flight may end, all other jobs go back to the queue.
STOPSIGNAL SIGTERM
# Checks the worker; with METRICS_PORT=0 there is no endpoint to check.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "const port = process.env.METRICS_PORT || 9464; if (port !== '0') fetch(`http://127.0.0.1:${port}/healthz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["worker"]
