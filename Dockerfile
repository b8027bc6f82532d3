# mockvod as a service container: Python, mockvod and what they need, in an image without a shell.

FROM python:3.13-slim AS build
WORKDIR /source
# For `strip`: the packages' libraries have debug symbols, 8 MB of the compressed image.
RUN apt-get update -q && apt-get install -yq --no-install-recommends binutils
# Its place must stay the same in the last stage: the command's first line names it.
RUN python3 -m venv --without-pip /opt/mockvod
COPY pyproject.toml README.md LICENSE ./
COPY mockvod mockvod
COPY fixtures fixtures
# The context has no git to find the version with; `make image` says it.
ARG VERSION=0.0.0
RUN SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION \
  python3 -m pip --python /opt/mockvod/bin/python install --quiet --no-cache-dir --no-compile '.[server]'
COPY image image
RUN /opt/mockvod/bin/python image/rootfs.py /rootfs

FROM scratch
COPY --from=build /rootfs /
ENV PATH=/opt/mockvod/bin \
    HOME=/mockvod \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MOCKVOD_HOST=0.0.0.0
WORKDIR /mockvod
USER 10001:10001
EXPOSE 8266
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --start-interval=500ms --retries=3 \
  CMD ["mockvod", "health"]
ENTRYPOINT ["mockvod"]
CMD ["serve"]

ARG VERSION=0.0.0
LABEL org.opencontainers.image.title="mockvod" \
      org.opencontainers.image.description="A local stand-in for the event notification of Tencent Cloud VOD" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
