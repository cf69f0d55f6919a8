# A stand-in for the public Node image, for machines that reach no image registry: its Node, npm and libraries, and
# busybox in the place of Debian.
FROM scratch
COPY root/ /
RUN ["/bin/busybox", "--install", "-s"]
ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
