# mockvod as a service container: one build stage, and an image with Python, mockvod and what it needs.

FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY mockvod mockvod
COPY fixtures fixtures
RUN python3 -m pip wheel --quiet --no-cache-dir --no-deps --wheel-dir /wheels .
# An environment without pip. Its place must stay the same in the last stage: the command's first line names it.
RUN python3 -m venv --without-pip /opt/mockvod \
 && set -- /wheels/mockvod-*.whl \
 && python3 -m pip --python /opt/mockvod/bin/python install --quiet --no-cache-dir --no-compile "$1[uvloop,tls]"
# Bytecode that is never compared with its source: nothing is written at run time, and dates do not matter.
# Faker's other languages stay as they are, nobody imports them.
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x 'faker/providers/[a-z_]+/(?!en_US)[a-z]{2,3}_' /opt/mockvod/lib

FROM python:3.13-slim
# The base brings pip, and no bytecode of its standard library.
RUN python3 -m compileall -q -j 0 -x '/(test|tests|idlelib|tkinter|turtledemo|ensurepip|site-packages|dist-packages)/' \
      "$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && find /usr \( -path '*/bin/pip*' -o -path '*-packages/pip*' -o -name ensurepip -o -name python-wheels \) \
      -prune -exec rm -rf {} +
COPY --from=build /opt/mockvod /opt/mockvod
ENV PATH=/opt/mockvod/bin:$PATH \
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

# The labels come last: another version number builds nothing else anew.
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="mockvod" \
      org.opencontainers.image.description="A local stand-in for the event notification of Tencent Cloud VOD" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
