# The gateway that copies requests: Envoy, and the controller that makes and leads it. The build context is the folder of the built tool.
# Both stand on a base with the GNU C library, which Envoy needs, and with a /tmp: who ends an Envoy leaves a file there.
ARG NODE_IMAGE=node:24-bookworm-slim
FROM ${NODE_IMAGE} AS envoy
COPY --chmod=0755 envoy /usr/local/bin/envoy
USER 65532:65532
ENTRYPOINT ["envoy"]

FROM ${NODE_IMAGE} AS envoy-gateway
COPY --chmod=0755 envoy-gateway /usr/local/bin/envoy-gateway
USER 65532:65532
ENTRYPOINT ["envoy-gateway"]
