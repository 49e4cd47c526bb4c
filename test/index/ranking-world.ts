// Rows of sonames → an index of the packages that have them, right and wrong ones, as a file index of nixpkgs has them.
import { hashOf, type IndexedPackage, treeOf } from '../rig/file-index.ts';

/** Soname, and the store object that ought to be chosen: `name attribute output`. */
export type RightRow = readonly [soname: string, right: string];

const RIGHT = `
libz.so.1 | zlib-1.3.1 zlib out
libstdc++.so.6 | gcc-14.3.0-lib stdenv.cc.cc lib
libgcc_s.so.1 | gcc-14.3.0-libgcc libgcc out
libgomp.so.1 | gcc-14.3.0-lib stdenv.cc.cc lib
libgfortran.so.5 | gfortran-14.3.0-lib gfortran.cc lib
libcurl.so.4 | curl-8.14.1 curl out
libssl.so.3 | openssl-3.5.1 openssl out
libcrypto.so.3 | openssl-3.5.1 openssl out
libxml2.so.2 | libxml2-2.13.9 libxml2_13 out
libuuid.so.1 | util-linux-minimal-2.41-lib util-linuxMinimal lib
libudev.so.1 | systemd-minimal-libs-257.6 systemdLibs out
libsystemd.so.0 | systemd-minimal-libs-257.6 systemdLibs out
libGL.so.1 | libglvnd-1.7.0 libglvnd out
libEGL.so.1 | libglvnd-1.7.0 libglvnd out
libgbm.so.1 | mesa-libgbm-25.1.0 libgbm out
libX11.so.6 | libx11-1.8.12 libx11 out
libXss.so.1 | libxscrnsaver-1.2.4 libxscrnsaver out
libxcb.so.1 | libxcb-1.17.0 libxcb out
libxkbcommon.so.0 | libxkbcommon-1.10.0 libxkbcommon out
libwayland-client.so.0 | wayland-1.23.1 kdePackages.wayland out
libasound.so.2 | alsa-lib-1.2.14 alsa-lib out
libpulse.so.0 | libpulseaudio-17.0 libpulseaudio out
libjack.so.0 | jack2-1.9.22 jack2 out
libgtk-3.so.0 | gtk+3-3.24.49 gtk3 out
libgdk-3.so.0 | gtk+3-3.24.49 gtk3 out
libglib-2.0.so.0 | glib-2.84.3 glib out
libcairo.so.2 | cairo-1.18.4 cairo out
libpango-1.0.so.0 | pango-1.56.3 pango out
libatk-bridge-2.0.so.0 | at-spi2-core-2.56.2 at-spi2-core out
libharfbuzz.so.0 | harfbuzz-11.2.1 harfbuzz out
libfontconfig.so.1 | fontconfig-2.16.2-lib fontconfig lib
libfreetype.so.6 | freetype-2.13.3 freetype out
libnss3.so | nss-3.112 nss out
libnspr4.so | nspr-4.36 nspr out
libdbus-1.so.3 | dbus-1.14.10-lib dbus lib
libcups.so.2 | cups-2.4.12-lib cups lib
libexpat.so.1 | expat-2.7.1 expat out
libcom_err.so.2 | e2fsprogs-1.47.2 e2fsprogs out
libcom_err.so.3 | krb5-1.21.3-lib krb5 lib
libcrypt.so.1 | libxcrypt-4.4.38 libxcrypt-legacy out
libtinfo.so.6 | ncurses-6.5 ncurses out
libncurses.so.5 | ncurses-abi5-compat-6.5 ncurses5 out
libreadline.so.8 | readline-8.3 readline out
libffi.so.8 | libffi-3.5.1 libffi out
libjpeg.so.62 | libjpeg-turbo-3.1.1 libjpeg out
libpng16.so.16 | libpng-apng-1.6.49 libpng out
libsqlite3.so.0 | sqlite-3.50.1 sqlite out
libpq.so.5 | libpq-17.5 libpq out
libicuuc.so.76 | icu4c-76.1 icu76 out
libavcodec.so.61 | ffmpeg-7.1.1-lib ffmpeg_7 lib
libSDL2-2.0.so.0 | sdl2-compat-2.32.56 SDL2 out
libusb-1.0.so.0 | libusb-1.0.28 libusb1 out
libfuse.so.2 | fuse-2.9.9 fuse out
libQt6Core.so.6 | qtbase-6.9.1 kdePackages.qtbase out
libQt5Core.so.5 | qtbase-5.15.17 libsForQt5.qtbase out
libbz2.so.1.0 | bzip2-1.0.8 bzip2 out
libvulkan.so.1 | vulkan-loader-1.4.313.0 vulkan-loader out
libgit2.so.1.9 | libgit2-1.9.1-lib libgit2 lib
libmpv.so.2 | mpv-0.40.0 mpv-unwrapped out
libzip.so.5 | libzip-1.11.4 libzip out
libgsl.so.28 | gsl-2.8 gsl out
libtesseract.so.5 | tesseract-5.5.1 tesseract5 out
libpoppler.so.148 | poppler-glib-25.05.0 poppler out
libhunspell-1.7.so.0 | hunspell-1.7.2 hunspell out
librdkafka.so.1 | rdkafka-2.10.1 rdkafka out
libgphoto2.so.6 | libgphoto2-2.5.32 libgphoto2 out
libproj.so.25 | proj-9.6.2 proj out
libvlc.so.5 | libvlc-3.0.21 libvlc out
libxerces-c-3.2.so | xerces-c-3.2.5 xercesc out
libonig.so.5 | oniguruma-6.9.10-lib oniguruma lib
libre2.so.11 | re2-2024-07-02 re2 out
libfmt.so.11 | fmt-11.2.0 fmt out
libyaml-cpp.so.0.8 | yaml-cpp-0.8.0 yaml-cpp out
libassimp.so.6 | assimp-6.0.2-lib assimp lib
libprotobuf.so.30 | protobuf-30.2 protobuf_30 out
libboost_filesystem.so.1.87.0 | boost-1.87.0 boost187 out
libpython3.12.so.1.0 | python3-3.12.11 python312 out
libluajit-5.1.so.2 | luajit-2.1.1741730670 luajit out
libopenblas.so.0 | openblas-0.3.29 openblas out
libSkiaSharp.so | skiasharp-2.88.9 skiasharp out
libgflags.so.2.2 | gflags-2.2.2 gflags out
libglog.so.1 | glog-0.7.1 glog out
libnetsnmp.so.40 | net-snmp-5.9.4-lib net-snmp lib
libcjson.so.1 | cjson-1.7.18 cjson out
libczmq.so.4 | czmq-4.2.1 czmq out
libmbedtls.so.21 | mbedtls-3.6.4 mbedtls out
libsrtp2.so.1 | libsrtp-2.7.0 srtp out
libnice.so.10 | libnice-0.1.22 libnice out
libgee-0.8.so.2 | libgee-0.20.8 libgee out
libxmlsec1.so.1 | xmlsec-1.3.7 xmlsec out
liburiparser.so.1 | uriparser-0.9.8 uriparser out
libmongoc-1.0.so.0 | mongoc-1.30.4 mongoc out
`;

export const RIGHT_ROWS: readonly RightRow[] = RIGHT.trim()
  .split('\n')
  .map((line) => line.split(' | ') as [string, string]);

let serial = 0;

function packageAt(
  words: string,
  files: Readonly<Record<string, number | string>>,
  toplevel = true,
): IndexedPackage {
  const [name = '', attr = '', output = 'out'] = words.split(' ');
  serial += 1;
  // The order of hashes says nothing of the order of packages.
  return { hash: hashOf((serial * 48_271) % 1_048_573), name, attr, output, toplevel, tree: treeOf(files) };
}

/** The library as its own build installs it: a file with the whole version, and a link. */
function installed(dir: string, names: readonly string[], size = 400_000): Record<string, number | string> {
  const pairs = names.map((name) =>
    name.endsWith('.so')
      ? [[name, size]]
      : [
          [`${name}.0.1`, size],
          [name, `-> ${name}.0.1`],
        ],
  );
  return Object.fromEntries(pairs.flat().map(([name, what]) => [`${dir}/${name}`, what as number | string]));
}

/** Everything in one place, as files. */
function copies(dir: string, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [`${dir}/${name}`, 300_000]));
}

/** Packages that have libraries of others. */
function bundles(names: readonly string[], right: ReadonlyMap<string, IndexedPackage>): IndexedPackage[] {
  const some = (step: number, from = 0) => names.filter((_, i) => i % step === from);
  const linked = (every: readonly string[]) =>
    Object.fromEntries(
      every.map((name) => {
        const { hash = '', name: of = '' } = right.get(name) ?? {};
        return [`lib/${name}`, `-> /nix/store/${hash}-${of}/lib/${name}`];
      }),
    );
  return [
    packageAt('steam-fhsenv-rootfs steam.fhsenv', { ...linked(names), ...copies('usr/lib64', names) }, false),
    packageAt('lutris-usr-target lutris', linked(names), false),
    packageAt('vscode-fhs vscode-fhs', copies('lib', some(2))),
    packageAt('appimage-run-fhsenv appimage-run', copies('lib', names), false),
    packageAt('ocenaudio-3.14.9 ocenaudio', copies('lib', names)),
    packageAt('studio-suite-20.0 studio', copies('lib', names)),
    packageAt('zoom-6.4 zoom-us', copies('opt/zoom', names)),
    packageAt('jellyfin-10.10.7 jellyfin', copies('lib/jellyfin', some(3))),
    packageAt('zulip-5.12 zulip', copies('lib/zulip', some(2, 1))),
    packageAt(
      'python3.12-opencv-python-4.11 python312Packages.opencv',
      copies('lib/python3.12/site-packages/opencv_python.libs', names),
    ),
    packageAt('openjdk-21.0.7+6 jdk21', copies('lib/openjdk/lib', some(3, 1))),
    packageAt('graalvm-ce-24.0.1 graalvm-ce', copies('lib/jre/lib', some(3, 2))),
    packageAt('electron-36.4 electron', copies('libexec/electron', some(2))),
    packageAt('libreoffice-25.2 libreoffice-unwrapped', copies('lib/libreoffice/program', some(2, 1))),
    packageAt('graphics-env graphicsEnv', linked(some(2))),
    packageAt('audio-plugins-1.0 audioPlugins', linked(some(2, 1))),
    packageAt('wine-wow-10.0 wineWowPackages.stable', copies('lib', some(4)), false),
    packageAt('bootstrap-tools bootstrapTools', copies('lib', some(3)), false),
    packageAt('node_fetcher-1.0 nodeFetcher', copies('lib/node_modules/sharp/vendor/lib', names)),
    packageAt('toolchain-arm-14.2 gcc-arm-embedded', copies('aarch64-unknown-linux-gnu/lib', names)),
    packageAt('glibc-debug-2.40-debug glibc.debug debug', copies('lib/debug', some(2))),
  ];
}

/** What goes wrong with one library. */
function rivals(): IndexedPackage[] {
  const lib = (words: string, ...names: string[]) => packageAt(words, installed('lib', names));
  const closure = (words: string, ...names: string[]) => packageAt(words, installed('lib', names), false);
  return [
    lib('zlib-ng-2.2.4 zlib-ng', 'libz.so.1'),
    packageAt('zlib-1.3.1-dev zlib dev', { 'lib/libz.so': '-> /nix/store/x' }),
    closure('zlib-1.2.13 python39', 'libz.so.1'),
    packageAt('cloudflare-zlib-1.0 cloudflare-zlib', installed('lib', ['libz.so.1'])),
    closure(
      'gcc-13.3.0-lib gcc13.cc lib',
      'libstdc++.so.6',
      'libgomp.so.1',
      'libgfortran.so.5',
      'libgcc_s.so.1',
    ),
    closure('gcc-9.5.0-lib cudatoolkit lib', 'libstdc++.so.6', 'libgomp.so.1'),
    packageAt('gdb-16.3 gdb', { 'share/gdb/auto-load/lib/libstdc++.so.6.0.33-gdb.py': 2000 }),
    lib('intel-oneapi-2025 intel-oneapi', 'libstdc++.so.6', 'libgomp.so.1'),
    closure('xgcc-14.3.0-libgcc libgcc', 'libgcc_s.so.1'),
    lib('curl-8.14.1 curlFull', 'libcurl.so.4'),
    lib('curl-8.14.1 curlMinimal', 'libcurl.so.4'),
    lib('curl-8.14.1 curlWithGnuTls', 'libcurl.so.4', 'libcurl-gnutls.so.4'),
    lib('curl-impersonate-ff-0.6.1 curl-impersonate', 'libcurl.so.4'),
    lib('openssl-3.0.16 openssl_3', 'libssl.so.3', 'libcrypto.so.3'),
    lib('quictls-3.3.0 quictls', 'libssl.so.3', 'libcrypto.so.3'),
    closure('openssl-3.0.14 wine', 'libssl.so.3', 'libcrypto.so.3'),
    lib('systemd-257.6 systemd', 'libudev.so.1', 'libsystemd.so.0'),
    lib('systemd-minimal-257.6 systemdMinimal', 'libudev.so.1', 'libsystemd.so.0'),
    lib('eudev-3.2.14 eudev', 'libudev.so.1'),
    lib('libudev-zero-1.0.3 libudev-zero', 'libudev.so.1'),
    packageAt('xorg_sys_opengl xorg_sys_opengl', {
      'lib/libGL.so.1': '-> /run/opengl-driver/lib/libGL.so.1',
    }),
    lib('nvidia-x11-570 linuxPackages.nvidia_x11', 'libGL.so.1', 'libEGL.so.1'),
    lib('virtualgl-lib-3.1 virtualglLib', 'libGL.so.1'),
    lib('mesa-25.1.0 mesa', 'libgbm.so.1'),
    lib('apulse-0.1.13 apulse', 'libpulse.so.0'),
    lib('pulseaudio-17.0 pulseaudio', 'libpulse.so.0'),
    packageAt('pulseaudio-hsphfpd-13 pulseaudio-hsphfpd', installed('lib/pulseaudio', ['libpulse.so.0'])),
    packageAt('pipewire-1.4.5-jack pipewire jack', installed('lib/pipewire-0.3/jack', ['libjack.so.0'])),
    lib('jack1-0.126 jack1', 'libjack.so.0'),
    lib('libcanberra-gtk3-0.30 libcanberra-gtk3', 'libgtk-3.so.0'),
    lib('harfbuzz-icu-11.2.1 harfbuzzFull', 'libharfbuzz.so.0'),
    lib('freetype-2.13.3 freetype_subpixel', 'libfreetype.so.6'),
    lib('nss-3.101.4 nss_esr', 'libnss3.so'),
    lib('firefox-esr-128 firefox-esr', 'libnss3.so', 'libnspr4.so'),
    packageAt('firefox-140 firefox-unwrapped', copies('lib/firefox', ['libnss3.so', 'libnspr4.so'])),
    lib('heimdal-7.8 heimdal', 'libcom_err.so.3'),
    packageAt('libxcrypt-4.4.38 libxcrypt', installed('lib', ['libcrypt.so.2'])),
    closure('glibc-2.35 glibc', 'libcrypt.so.1'),
    lib('ncurses-6.5 ncurses5-static', 'libncurses.so.5x'),
    lib('termcap-1.3 libtermcap', 'libtinfo.so.6'),
    packageAt('ghc-9.8.4 ghc', installed('lib/ghc-9.8.4/lib/x86_64-linux-ghc-9.8.4', ['libffi.so.8'])),
    lib('mozjpeg-4.1.5 mozjpeg', 'libjpeg.so.62'),
    lib('sqlcipher-4.9 sqlcipher', 'libsqlite3.so.0'),
    lib('sqlite-3.50.1 sqlite-interactive', 'libsqlite3.so.0'),
    packageAt('postgresql-17.5-lib postgresql lib', installed('lib', ['libpq.so.5'])),
    packageAt('postgresql-14.18-lib postgresql_14 lib', installed('lib', ['libpq.so.5'])),
    lib('ffmpeg-full-7.1.1-lib ffmpeg-full lib', 'libavcodec.so.61'),
    lib('ffmpeg-headless-7.1.1-lib ffmpeg-headless lib', 'libavcodec.so.61'),
    lib('jellyfin-ffmpeg-7.1.1-lib jellyfin-ffmpeg lib', 'libavcodec.so.61'),
    lib('SDL2-2.30.9 SDL2_classic', 'libSDL2-2.0.so.0'),
    packageAt('libusb-compat-0.1.8 libusb-compat-0_1', installed('lib', ['libusb-0.1.so.4'])),
    packageAt(
      'python3.12-pyqt6-6.9 python312Packages.pyqt6',
      copies('lib/python3.12/site-packages/PyQt6/Qt6/lib', ['libQt6Core.so.6']),
    ),
    lib('qtbase-6.8.3 qt68.qtbase', 'libQt6Core.so.6'),
    lib('calibre-8.5 calibre', 'libQt6Core.so.6'),
    lib('primus-1.1 primusLib', 'libGL.so.1'),
    lib('vulkan-tools-1.4 vulkan-tools', 'libvulkan.so.1'),
    packageAt(
      'julia-1.11 julia',
      copies('lib/julia', ['libgit2.so.1.9', 'libopenblas.so.0', 'libpcre2-8.so.0']),
    ),
    lib('libgit2-glib-1.2 libgit2-glib', 'libgit2-glib-1.0.so.0'),
    lib('libvlc-bin-3.0.21 vlc-bin', 'libvlc.so.5'),
    lib('jami-2025 jami', 'libfmt.so.11', 'libyaml-cpp.so.0.8'),
    lib('mapnik-4.1 mapnik', 'libproj.so.25'),
    lib('gimp-plugins-3.0 gimpPlugins.all', 'libpoppler.so.148'),
    packageAt('libopenblas-compat-1.0 blas', { 'lib/libopenblas.so.0': 300 }),
    lib('blas-ilp64-0.3.29 openblas-ilp64', 'libopenblas.so.0'),
    lib('python3-3.12.11 python312Full', 'libpython3.12.so.1.0'),
    lib('python3-minimal-3.12.11 python3Minimal', 'libpython3.12.so.1.0'),
  ];
}

export interface RankingWorld {
  readonly packages: readonly IndexedPackage[];
  readonly right: ReadonlyMap<string, IndexedPackage>;
}

/** All packages of the world, in an order that says nothing. */
export function rankingWorld(): RankingWorld {
  serial = 0;
  const sonamesOf = new Map<string, string[]>();
  for (const [soname, words] of RIGHT_ROWS) sonamesOf.set(words, [...(sonamesOf.get(words) ?? []), soname]);
  const built = [...sonamesOf].map(([words, sonames]) => ({
    sonames,
    built: packageAt(words, installed('lib', sonames)),
  }));
  const right = new Map(built.flatMap((each) => each.sonames.map((name) => [name, each.built] as const)));
  const names = RIGHT_ROWS.map(([soname]) => soname);
  const packages = [...built.map((each) => each.built), ...bundles(names, right), ...rivals()];
  return { packages: packages.sort((a, b) => (a.hash < b.hash ? -1 : 1)), right };
}
