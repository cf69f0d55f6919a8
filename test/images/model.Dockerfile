# The model stand-in. It needs nothing but Node, so it is built on the bridge's image; the context is test/model.
ARG BRIDGE_IMAGE=llmbridge/bridge:dev
FROM ${BRIDGE_IMAGE}
LABEL org.opencontainers.image.title="LLMBridge model stand-in"
COPY answer.ts face.ts knobs.ts main.ts ollama.ts openai.ts server.ts shares.ts stats.ts dist/model/
EXPOSE 9000
ENTRYPOINT ["node", "dist/model/main.ts", "--host", "0.0.0.0", "--port", "9000"]
