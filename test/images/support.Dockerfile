# Images that the test cluster itself needs; the build context is the folder of the built tool.
FROM scratch AS pause
COPY --chmod=0755 pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]

FROM scratch AS traefik
COPY --chmod=0755 traefik /traefik
USER 65532:65532
ENTRYPOINT ["/traefik"]

FROM scratch AS coredns
COPY --chmod=0755 coredns /coredns
USER 65532:65532
ENTRYPOINT ["/coredns"]
