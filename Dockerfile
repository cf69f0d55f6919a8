# Targets: operator, bridge. Both run as a user without rights, on a read-only root, without shell or package tool:
# nothing but Node, the libraries it loads, and the bundled program.
ARG NODE_IMAGE=node:24-bookworm-slim

# The bundles are the same for every architecture, so they are made on the one that builds.
FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS sources
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
    npm ci --ignore-scripts --no-audit --no-fund
COPY tools/build.ts tools/
COPY contract/ contract/

FROM sources AS build-operator
COPY operator/ operator/
RUN node tools/build.ts operator

FROM sources AS build-bridge
COPY bridge/ bridge/
RUN node tools/build.ts bridge

# Node and its libraries come from the image of the architecture that is built for.
FROM ${NODE_IMAGE} AS root
COPY tools/rootfs.ts /tools/
RUN node /tools/rootfs.ts /root-folder

FROM scratch AS runtime
COPY --from=root /root-folder/ /
ENV PATH=/usr/local/bin NODE_ENV=production
WORKDIR /app
USER 65532:65532

FROM runtime AS operator
LABEL org.opencontainers.image.title="LLMBridge operator" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-operator /src/dist/package.json dist/
COPY --from=build-operator /src/dist/operator/ dist/operator/
# An idle operator allocates little, so its memory is what it has not given back: V8 keeps pages of a heap that was larger unless it
# prefers size, and malloc keeps one arena for each thread and what lies below any block that is in use. Blocks of more than a page, such as
# what was read of a connection, are therefore mapped by themselves (docs/decisions/0002-kubernetes-runtime.md, "Memory").
ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 MALLOC_MMAP_THRESHOLD_=4096
ENTRYPOINT ["node", "--optimize-for-size", "--max-semi-space-size=1", "--heap-growing-percent=25", "dist/operator/main.js"]

FROM runtime AS bridge
LABEL org.opencontainers.image.title="LLMBridge bridge" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build-bridge /src/dist/package.json dist/
COPY --from=build-bridge /src/dist/bridge/ dist/bridge/
ENTRYPOINT ["node", "dist/bridge/main.js"]
