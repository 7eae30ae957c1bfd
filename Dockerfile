# bisector in a container; it talks to the engine whose socket is mounted. See "In a container" in README.md.
ARG BASE=python:3.11-slim
FROM ${BASE}

# git reads the repository; no compiler is needed, since commits are built in containers of their own.
RUN command -v git >/dev/null || { apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*; }

COPY pyproject.toml README.md /source/
COPY bisector /source/bisector
COPY scenarios /source/scenarios
RUN python -m venv /opt/bisector && /opt/bisector/bin/pip install --no-cache-dir /source && rm -rf /source

ENV PATH=/opt/bisector/bin:$PATH BISECTOR_STATE_DIR=/state BISECTOR_CACHE_DIR=/state/cache
# The mounted repository belongs to somebody else; reading it is all that is done.
RUN git config --system --add safe.directory '*'
VOLUME /state
WORKDIR /repository
ENTRYPOINT ["bisector"]
CMD ["--help"]
