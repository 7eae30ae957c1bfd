# bisector in a container: commands, the server, or a worker. See "In a container" in README.md, and docs/deployment.md.
ARG BASE=python:3.11-slim
FROM ${BASE}

# git reads the repository; no compiler is needed, since commits are built in containers of their own.
RUN command -v git >/dev/null || { apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*; }

# What comes of the build is what `pip install bisector[EXTRAS]` gives; "" leaves the server and PostgreSQL out. With the
# extras of the default everything is of the locked versions, held to their hashes.
ARG EXTRAS=server,distributed
COPY pyproject.toml README.md requirements.lock /source/
COPY bisector /source/bisector
COPY scenarios /source/scenarios
RUN python -m venv /opt/bisector \
    && if [ "${EXTRAS}" = server,distributed ]; then \
        /opt/bisector/bin/pip install --no-cache-dir --require-hashes --no-deps -r /source/requirements.lock; fi \
    && /opt/bisector/bin/pip install --no-cache-dir "/source[${EXTRAS}]" && rm -rf /source

ENV PATH=/opt/bisector/bin:$PATH BISECTOR_STATE_DIR=/state BISECTOR_CACHE_DIR=/state/cache
# A repository mounted here belongs to somebody else, whom git does not trust by itself; who mounts it here does. Anywhere
# else it is refused as on any machine. (The line with the star is for what lies inside it: git 2.46 and later know it.)
RUN git config --system --add safe.directory /repository && git config --system --add safe.directory '/repository/*'
# For the server and for workers (`--user bisector`). Commands that are given the engine's socket run as root by default.
RUN groupadd --gid 10001 bisector && useradd --uid 10001 --gid bisector --home-dir /state --no-create-home bisector \
    && mkdir -p /state/cache /artifacts && chown -R bisector:bisector /state /artifacts
VOLUME /state
WORKDIR /repository
ENTRYPOINT ["bisector"]
CMD ["--help"]
