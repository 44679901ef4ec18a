"""What manifests and configs all say, for `packing`: what BuildKit and Docker write, and the images that most
others are built from.

Part of a format on disk: with a single character changed, every row is unreadable that was packed with it.
What would do better is a dictionary of its own, with another first byte."""

# As `configs` writes what is kept: on one line, so that these are joined.
CONFIGS = r"""
"org.label-schema.build-date":"","org.label-schema.name":"","org.label-schema.vcs-ref":"",
"org.label-schema.vcs-url":"https://gitlab.com/","org.label-schema.schema-version":"1.0",
"io.k8s.description":"","io.openshift.tags":"","com.docker.compose.project":"","io.buildah.version":"1.",
"maintainer":"NGINX Docker Maintainers <docker-maint@","org.opencontainers.image.authors":"",
"org.opencontainers.image.base.digest":"sha256:","org.opencontainers.image.documentation":"https://",
"org.opencontainers.image.licenses":"Apache-2.0 MIT","org.opencontainers.image.ref.name":"ubuntu",
"DOTNET_RUNNING_IN_CONTAINER=true","ASPNETCORE_HTTP_PORTS=8080","JAVA_HOME=/opt/java/openjdk",
"JAVA_VERSION=jdk-","PHP_INI_DIR=/usr/local/etc/php","RUBY_VERSION=3.","GEM_HOME=/usr/local/bundle",
"RUSTUP_HOME=/usr/local/rustup","PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin",
"GOLANG_VERSION=1.","GOTOOLCHAIN=local","GOPATH=/go","NODE_VERSION=2","YARN_VERSION=1.22.22",
"NODE_ENV=production","GPG_KEY=","PYTHON_VERSION=3.1","PYTHON_SHA256=","PYTHONUNBUFFERED=1",
"PYTHONDONTWRITEBYTECODE=1","LC_ALL=C.UTF-8","TZ=UTC","DEBIAN_FRONTEND=noninteractive",
"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt","author":"","os.version":"10.0.","variant":"v8",
"Healthcheck":{"Test":["CMD-SHELL","curl -f http://localhost:8080/health || exit 1"]},
"Volumes":{"/data":{}},"StopSignal":"SIGTERM","StopSignal":"SIGQUIT","nonroot","65532","1000:1000",
"created_by":"# debian.sh --arch 'amd64' out/ 'bookworm' '@17","comment":"debuerreotype 0.15"
"created_by":"ADD alpine-minirootfs-3.2-x86_64.tar.gz / # buildkit","created_by":"CMD [\"/bin/sh\"]",
"created_by":"/bin/sh -c #(nop) ADD file: in / "},"created_by":"/bin/sh -c #(nop)  CMD [\"bash\"]",
"empty_layer":true},"created_by":"/bin/sh -c #(nop)  ARG RELEASE",
"created_by":"/bin/sh -c #(nop)  ARG LAUNCHPAD_BUILD_ARCH",
"created_by":"/bin/sh -c #(nop)  LABEL org.opencontainers.image.version=24.04",
"created_by":"/bin/sh -c #(nop) COPY file: in /usr/local/bin/ ","created_by":"/bin/sh -c #(nop) COPY dir:
 in /app "},"created_by":"/bin/sh -c #(nop) WORKDIR /usr/src/app",
"created_by":"/bin/sh -c #(nop)  ENTRYPOINT [\"docker-entrypoint.sh\"]",
"created_by":"/bin/sh -c #(nop)  MAINTAINER ","created_by":"/bin/sh -c #(nop)  VOLUME [/var/lib/",
"created_by":"|1 VERSION= /bin/sh -c ","comment":"buildah","comment":"FROM docker.io/library/",
RUN /bin/sh -c groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash
 --create-home node # buildkit RUN /bin/sh -c addgroup -S app && adduser -S -D -H -G app -h /app
 -s /sbin/nologin app adduser --disabled-password --gecos \"\" --no-create-home useradd --system --uid
 --home-dir RUN /bin/sh -c apk add --no-cache bash ca-certificates curl git tzdata openssl tini su-exec
 libstdc++ build-base && rm -rf /var/cache/apk/* apk add --no-cache --virtual .build-deps
 apk del --no-network dnf install -y && dnf clean all microdnf yum -y update &&
 rm -rf /var/cache/yum RUN /bin/sh -c pip install --no-cache-dir --upgrade pip setuptools wheel
 && pip install --no-cache-dir --require-hashes -r requirements.txt # buildkit RUN /bin/sh -c
 python manage.py collectstatic --noinput poetry install --no-root uv sync --frozen --no-dev RUN /bin/sh -c
 npm ci --omit=dev npm run build && npm cache clean --force yarn install --frozen-lockfile
 pnpm install corepack enable bundle install composer install --no-dev docker-php-ext-install go mod download
 CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags=\"-s -w\" -o /out/ cargo build --release mvn -B package
 -DskipTests gradle java -jar app.jar dotnet restore dotnet publish -c Release
 RUN --mount=type=cache,target=/root/.cache --mount=type=secret,id= RUN /bin/sh -c set -eux;
 \t\tsavedAptMark=\"$(apt-mark showmanual)\"; \tapt-get update; \tapt-get install -y --no-install-recommends
 \t\tca-certificates \t\tnetbase \t\ttzdata curl gnupg git wget unzip xz-utils procps make gcc g++ libc6-dev
 build-essential libpq-dev libssl-dev dirmngr; \trm -rf /var/lib/apt/lists/*; \tapt-get dist-clean;
 \twget -O python.tar.xz \"https://www.python.org/ftp/python/;
 \techo \"$PYTHON_SHA256 *python.tar.xz\" | sha256sum -c -; \tmkdir -p /usr/src/python;
 \ttar --extract --directory /usr/src/python --strip-components=1 --file python.tar.xz; \t\tcd /usr/src/;
 \tgnuArch=\"$(dpkg-architecture --query DEB_BUILD_GNU_TYPE)\";
 \tdpkgArch=\"$(dpkg --print-architecture)\"; \tcase \"${arch}\" in amd64) arm64) *) echo
 >&2 exit 1 ;; esac; \t./configure --build=\"$gnuArch\" --enable-optimizations --with-lto;
 \tnproc=\"$(nproc)\"; \tmake -j \"$nproc\" LDFLAGS=\"${LDFLAGS:-} -Wl,--strip-all\"; \tmake install;
 \trm -rf /usr/src/python; \tldconfig; \tapt-mark auto '.*' > /dev/null;
 \tapt-get purge -y --auto-remove -o APT::AutoRemove::RecommendsImportant=false;
 \tcurl -fsSL https://github.com/ /releases/download/v gpg --batch --keyserver hkps://keys.openpgp.org
 --recv-keys && tar -xzf -C /usr/local --no-same-owner && rm -rf /tmp/* &&
 mkdir -p /var/log && ln -sf /dev/stdout /var/log/nginx/access.log && chown -R app:app
 /app && chmod +x /usr/local/bin/ && chmod 755 # buildkit",
"created_by":"COPY --from=builder --chown=app:app /app /app # buildkit",
"created_by":"COPY /usr/share/nginx/html # buildkit","created_by":"COPY . . # buildkit",
"created_by":"COPY package.json package-lock.json ./ # buildkit",
"created_by":"COPY docker-entrypoint.sh /usr/local/bin/ # buildkit",
"created_by":"ENTRYPOINT [\"/docker-entrypoint.sh\"]","comment":"buildkit.dockerfile.v0","empty_layer":true},
{"created":"202","created_by":"CMD [\"nginx\" \"-g\" \"daemon off;\"]","comment":"buildkit.dockerfile.v0",
"empty_layer":true}],{"created":"202","created_by":"STOPSIGNAL SIGQUIT","comment":"buildkit.dockerfile.v0",
"empty_layer":true},{"created":"202","created_by":"HEALTHCHECK &{[\"CMD-SHELL\"",
"created_by":"VOLUME [/data]","comment":"buildkit.dockerfile.v0","empty_layer":true},
{"created_by":"SHELL [/bin/bash -o pipefail -c]","created_by":"ARG TARGETARCH",
"comment":"buildkit.dockerfile.v0","empty_layer":true},{"created":"202","created_by":"ARG VERSION=",
"comment":"buildkit.dockerfile.v0","empty_layer":true},{"created":"202",
"created_by":"ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
"comment":"buildkit.dockerfile.v0","empty_layer":true},{"created":"202","created_by":"ENV LANG=C.UTF-8",
"comment":"buildkit.dockerfile.v0","empty_layer":true},{"created":"202","created_by":"WORKDIR /app",
"comment":"buildkit.dockerfile.v0"},{"created":"202","created_by":"USER app",
"comment":"buildkit.dockerfile.v0","empty_layer":true},{"created":"202",
"created_by":"LABEL org.opencontainers.image.source=https://github.com/","comment":"buildkit.dockerfile.v0",
"empty_layer":true},{"created":"202","created_by":"EXPOSE map[8080/tcp:{}]",
"comment":"buildkit.dockerfile.v0","empty_layer":true},{"created":"202","created_by":"RUN /bin/sh -c ",
"comment":"buildkit.dockerfile.v0"},"org.opencontainers.image.base.name":"docker.io/library/",
"org.opencontainers.image.created":"202","org.opencontainers.image.description":"",
"org.opencontainers.image.revision":"","org.opencontainers.image.source":"https://github.com/",
"org.opencontainers.image.title":"","org.opencontainers.image.url":"https://github.com/",
"org.opencontainers.image.vendor":"","org.opencontainers.image.version":""}},
{"architecture":"arm64","os":"linux","variant":"v8","config":{"Cmd":["/bin/sh","-c"],
{"architecture":"amd64","config":{"User":"","ExposedPorts":{"80/tcp":{},"443/tcp":{},"8080/tcp":{}},
"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],
"Entrypoint":["/docker-entrypoint.sh"],"Cmd":["],"WorkingDir":"/","Labels":{},"created":"202",
"history":[{"created":"202","os":"linux"}
"""
# As BuildKit indents them, by two, and Docker, by three.
MANIFESTS = """
application/vnd.cncf.helm.config.v1+json application/vnd.cncf.helm.chart.content.v1.tar+gzip
application/vnd.dev.cosign.simplesigning.v1+json dev.cosignproject.cosign/signature
application/vnd.dev.sigstore.bundle.v0.3+json application/vnd.cncf.notary.signature application/jose+json
application/vnd.oci.empty.v1+json application/spdx+json application/vnd.cyclonedx+json
https://spdx.dev/Document https://cyclonedx.org/bom application/vnd.oci.image.layer.v1.tar+zstd
application/vnd.oci.image.layer.v1.tar
application/vnd.docker.image.rootfs.foreign.diff.tar.gzip
"artifactType":"","subject":{"mediaType":"
"annotations":{"org.opencontainers.image.title":"","org.opencontainers.image.created":"202
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"\
application/vnd.oci.image.config.v1+json","digest":"sha256:","size":},"layers":[{"mediaType":"\
application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:","size":},{"mediaType":"\
application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:
{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
   "manifests": [
      {
         "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
         "size": 1570,
         "digest": "sha256:",
         "platform": {
            "architecture": "amd64",
            "os": "linux"
         }
      },
{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
   "config": {
      "mediaType": "application/vnd.docker.container.image.v1+json",
      "size": 7682,
      "digest": "sha256:"
   },
   "layers": [
      {
         "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
         "size": 28,
         "digest": "sha256:"
      },
      {
         "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
         "size": 2"
      }
   ]
}{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.index.v1+json",
  "manifests": [
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "sha256:",
      "size": 1,
      "platform": {
        "architecture": "amd64",
        "os": "linux"
      }
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "sha256:",
      "size": 1,
      "platform": {
        "architecture": "arm64",
        "os": "linux",
        "variant": "v8"
      }
    },
    {
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "sha256:",
      "size": 566,
      "annotations": {
        "vnd.docker.reference.digest": "sha256:",
        "vnd.docker.reference.type": "attestation-manifest"
      },
      "platform": {
        "architecture": "unknown",
        "os": "unknown"
      }
    }
  ]
}{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "sha256:",
    "size": 167
  },
  "layers": [
    {
      "mediaType": "application/vnd.in-toto+json",
      "digest": "sha256:",
      "size": 1,
      "annotations": {
        "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"
        "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2"
      }
    }
  ]
}{
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "sha256:",
    "size": 4
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": "sha256:",
      "size": 3
    },
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": "sha256:"""
FIRST = (CONFIGS.replace("\n", "") + MANIFESTS).encode()
