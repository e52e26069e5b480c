# deps -> builder (also the dev image) -> backup, runner.
# Nothing is cached on the side of the layers: a cache mount on the target directory can ship a stale binary, for copied
# sources keep their times, and Cargo goes by times.

FROM rust:1.95-bookworm AS deps
# "dev" makes the dev image, whose dependencies are then compiled once and for the debugger.
ARG PROFILE=release
ENV CARGO_TARGET_DIR=/target
WORKDIR /app
COPY Cargo.toml Cargo.lock ./
COPY actors/Cargo.toml actors/
# Empty crates stand in for ours: this layer is keyed by the manifests alone.
RUN mkdir -p src actors/src benches/delivery benches/gallery tests/frames tests/it \
    && touch src/lib.rs actors/src/lib.rs tests/architecture.rs \
    && for main in src/main.rs benches/crowds.rs benches/delivery/main.rs benches/gallery/main.rs benches/health.rs \
        benches/start.rs tests/frames/main.rs tests/it/main.rs; do echo 'fn main() {}' > "$main"; done \
    && cargo build --locked --profile "$PROFILE"


FROM deps AS builder
ARG PROFILE=release
# Debian's own versions, as of the base image's release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends entr gdbserver \
    && rm -rf /var/lib/apt/lists/*
COPY migrations migrations
COPY actors/src actors/src
COPY src src
# Touched, so that they are younger than what was compiled of the empty crates.
RUN find src actors/src migrations -type f -exec touch {} + \
    && cargo build --locked --profile "$PROFILE" \
    && install -D "$(find "$CARGO_TARGET_DIR" -maxdepth 2 -name party-gallery -type f)" /out/party-gallery \
    && mkdir /out/data
COPY scripts/serve-dev scripts/
EXPOSE 3000 9229
CMD ["scripts/serve-dev"]


FROM debian:bookworm-slim AS backup
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates openssl postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 65532 -g 65532 -m 0700 /backups
COPY --from=builder /out/party-gallery /usr/local/bin/
COPY scripts/dump-database scripts/make-certificate /usr/local/bin/
ENV BACKUP_DIR=/backups
USER 65532:65532
VOLUME /backups
CMD ["dump-database"]


FROM gcr.io/distroless/cc-debian12:nonroot AS runner
COPY --from=builder /out/party-gallery /usr/local/bin/party-gallery
# A new volume takes its owner from here.
COPY --from=builder --chown=65532:65532 --chmod=0700 /out/data /var/lib/party-gallery
ENV APP_ENV=production \
    DATA_DIR=/var/lib/party-gallery
USER 65532:65532
WORKDIR /var/lib/party-gallery
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/party-gallery", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/party-gallery"]
CMD ["serve"]
