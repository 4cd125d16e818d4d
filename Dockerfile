# Two stages: what is needed to build stays behind. No network but a package index is needed; a
# mirror set up for pip is handed in as a build argument (PIP_INDEX_URL and friends are known to pip).
FROM python:3.11-slim-bookworm AS build
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/stockd
COPY requirements-run.lock /src/
# wheels only: nothing is compiled here, and every file has its hash in the lock
RUN pip --python /opt/stockd/bin/python install --require-hashes --only-binary :all: \
        -r /src/requirements-run.lock
COPY . /src
# our own package by the setuptools of the lock; then what only builds or tests goes
RUN cd /src \
    && pip --python /opt/stockd/bin/python install --no-deps --no-build-isolation . \
    && pip --python /opt/stockd/bin/python uninstall -y setuptools \
    && find /opt/stockd/lib -type d -name tests -path '*/site-packages/*' -prune \
        -exec rm -rf {} +

FROM python:3.11-slim-bookworm
ENV PATH=/opt/stockd/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TZ=Asia/Seoul \
    HOME=/tmp
# fixed numbers, so that a volume made today fits the image of next year; the folders of secrets
# belong to the user that writes them, and a volume takes that over when it is new
RUN groupadd --gid 10001 stockd \
    && useradd --uid 10001 --gid stockd --no-create-home --home-dir /tmp \
        --shell /usr/sbin/nologin stockd \
    && mkdir -p /app /var/lib/stockd /var/log/simulator \
    && for share in vault migrate market trader worker-orders worker-confirm worker-assets \
        worker-sweep beat flower watchdog desk doctor mariadb redis monitoring gnuboard; do \
        mkdir -p "/handout/$share" || exit 1; done \
    && chown -R stockd:stockd /var/lib/stockd /var/log/simulator /handout
COPY --from=build /opt/stockd /opt/stockd
USER 10001:10001
WORKDIR /app
ENTRYPOINT ["stockd"]
CMD ["--help"]
