# One image for every role: docker run burnline api|worker|service|router|simulators, or any command of `burnline`.
# It writes to /tmp, to /var/lib/burnline (an embedded database, the simulators' jobs) and nowhere else, and needs no root.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Optional ones are a Node, which the image has. What no program reads is half of the size.
RUN npm ci --omit=dev --omit=optional --ignore-scripts \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.md' \) -delete \
 && rm -rf node_modules/openai/src node_modules/@llamaindex/llama-cloud/src

# The console's page: what builds it stays here.
FROM ${NODE_IMAGE} AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional ones too: Vite's own programs are among them, one for each kind of machine.
RUN npm ci --ignore-scripts
COPY . .
RUN node bin/burnline build

FROM ${NODE_IMAGE}
RUN install -d -o 1000 -g 1000 /var/lib/burnline /keys /app/.cache \
 && ln -s /app/bin/burnline /usr/local/bin/burnline
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
COPY --from=page /app/console/dist console/dist
USER 1000:1000
ENV NODE_ENV=production \
    BURNLINE_STATE=/var/lib/burnline \
    BURNLINE_CACHE=/app/.cache \
    API_HOST=0.0.0.0 \
    METRICS_HOST=0.0.0.0 \
    ROUTER_LISTEN=0.0.0.0:9093
# Compiled now, since the folder cannot be written later: a role starts in half the time, and so does each health check.
RUN NODE_COMPILE_CACHE=/app/.cache/compiled node --disable-warning=ExperimentalWarning --input-type=module -e \
    "for (const file of ['commands', 'runtime', 'documents', 'router', 'simulators']) await import('/app/app/' + file + '.ts'); process.exit()"
EXPOSE 8080 9093 9464
# Asks the role that this container runs; --start-interval needs Docker 25, and what is older ignores it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --start-interval=2s --retries=3 \
    CMD ["node", "/app/bin/health"]
ENTRYPOINT ["node", "/app/bin/burnline"]
CMD ["--help"]
