// The table of known libraries: the package of nixpkgs that each belongs to.

/**
 * Attribute (with its output), names in store paths in order of preference (with their output), sonames, where it was
 * seen. A soname ends with `.so.*` where every version of it belongs to the same package. What nixpkgs has no longer
 * (absent-names.ts) is here for indexes of old packages.
 */
export const TABLE = `
zlib | zlib | libz.so.1 libz.so | ld
musl | musl | ld-musl-x86_64.so.1 ld-musl-aarch64.so.1 ld-musl-i386.so.1 | name
zstd.out | zstd | libzstd.so.1 | ld
stdenv.cc.cc.lib | gcc:lib | libstdc++.so.6 libgomp.so.1 libatomic.so.1 libquadmath.so.0 libitm.so.1 libssp.so.0 libasan.so.* libubsan.so.* libtsan.so.* liblsan.so.* | ld
gfortran.cc.lib | gfortran:lib gcc:lib | libgfortran.so.* | name
libgcc | gcc:libgcc gcc:lib | libgcc_s.so.1 | name
curl.out | curl | libcurl.so.4 | ld
curlWithGnuTls.out | curl | libcurl-gnutls.so.4 | alias
openssl.out | openssl | libssl.so.3 libcrypto.so.3 | ld
openssl_1_1.out | openssl | libssl.so.1.1 libcrypto.so.1.1 | alias
openssl_1_0_2.out | openssl | libssl.so.1.0.0 libcrypto.so.1.0.0 | alias
attr.out | attr | libattr.so.1 | ld
libssh | libssh | libssh.so.4 | ld
libssh2 | libssh2 | libssh2.so.1 | name
bzip2.out | bzip2 | libbz2.so.1.0 libbz2.so.1 libbz2.so | ld
libxml2.out | libxml2 | libxml2.so.16 | ld
libxml2_13.out | libxml2 | libxml2.so.2 | alias
acl.out | acl | libacl.so.1 | ld
libsodium | libsodium | libsodium.so.* | ld
util-linux.lib | util-linux:lib util-linux-minimal:lib | libuuid.so.1 libblkid.so.1 libmount.so.1 libfdisk.so.1 libsmartcols.so.1 | ld
xz.out | xz | liblzma.so.5 | ld
systemdLibs | systemd-minimal-libs systemd | libudev.so.1 libsystemd.so.0 | ld
libudev0-shim | libudev0-shim | libudev.so.0 | fhs
libglvnd | libglvnd | libGL.so.1 libEGL.so.1 libGLX.so.0 libOpenGL.so.0 libGLESv2.so.2 libGLESv1_CM.so.1 libGLdispatch.so.0 | fhs
libgbm | mesa-libgbm mesa | libgbm.so.1 | fhs
libGLU | glu | libGLU.so.1 | fhs
libglut | freeglut | libglut.so.3 | fhs
glew | glew | libGLEW.so.* | fhs
glfw | glfw | libglfw.so.3 | name
libdrm | libdrm | libdrm.so.2 libdrm_amdgpu.so.1 libdrm_intel.so.1 libdrm_radeon.so.1 libdrm_nouveau.so.2 | fhs
vulkan-loader | vulkan-loader | libvulkan.so.1 | fhs
libva | libva | libva.so.2 libva-drm.so.2 libva-x11.so.2 | fhs
libvdpau | libvdpau | libvdpau.so.1 | fhs
ocl-icd | ocl-icd | libOpenCL.so.1 | fhs
libX11 | libX11 libx11 | libX11.so.6 libX11-xcb.so.1 | fhs
libXext | libXext libxext | libXext.so.6 | fhs
libXrender | libXrender libxrender | libXrender.so.1 | fhs
libXrandr | libXrandr libxrandr | libXrandr.so.2 | fhs
libXi | libXi libxi | libXi.so.6 | fhs
libXcursor | libXcursor libxcursor | libXcursor.so.1 | fhs
libXfixes | libXfixes libxfixes | libXfixes.so.3 | fhs
libXdamage | libXdamage libxdamage | libXdamage.so.1 | fhs
libXcomposite | libXcomposite libxcomposite | libXcomposite.so.1 | fhs
libXinerama | libXinerama libxinerama | libXinerama.so.1 | fhs
libXtst | libXtst libxtst | libXtst.so.6 | fhs
libXScrnSaver | libXScrnSaver libxscrnsaver | libXss.so.1 | fhs
libXxf86vm | libXxf86vm libxxf86vm | libXxf86vm.so.1 | fhs
libXt | libXt libxt | libXt.so.6 | fhs
libXmu | libXmu libxmu | libXmu.so.6 libXmuu.so.1 | fhs
libXpm | libXpm libxpm | libXpm.so.4 | name
libXaw | libXaw libxaw | libXaw.so.7 | name
libXft | libXft libxft | libXft.so.2 | fhs
libXau | libXau libxau | libXau.so.6 | name
libXdmcp | libXdmcp libxdmcp | libXdmcp.so.6 | name
libSM | libSM libsm | libSM.so.6 | fhs
libICE | libICE libice | libICE.so.6 | fhs
libxcb | libxcb | libxcb.so.1 libxcb-glx.so.0 libxcb-shm.so.0 libxcb-render.so.0 libxcb-randr.so.0 libxcb-xfixes.so.0 libxcb-shape.so.0 libxcb-sync.so.1 libxcb-xkb.so.1 libxcb-xinerama.so.0 libxcb-dri2.so.0 libxcb-dri3.so.0 libxcb-present.so.0 | fhs
xcb-util-image | xcb-util-image | libxcb-image.so.0 | name
xcb-util-keysyms | xcb-util-keysyms | libxcb-keysyms.so.1 | name
xcb-util-renderutil | xcb-util-renderutil | libxcb-render-util.so.0 | name
xcb-util-wm | xcb-util-wm | libxcb-icccm.so.4 libxcb-ewmh.so.2 | name
xcb-util-cursor | xcb-util-cursor | libxcb-cursor.so.0 | name
libxkbcommon | libxkbcommon | libxkbcommon.so.0 libxkbcommon-x11.so.0 | fhs
libxshmfence | libxshmfence | libxshmfence.so.1 | fhs
libxkbfile | libxkbfile | libxkbfile.so.1 | name
wayland | wayland | libwayland-client.so.0 libwayland-server.so.0 libwayland-cursor.so.0 libwayland-egl.so.1 | fhs
libdecor | libdecor | libdecor-0.so.0 | name
alsa-lib | alsa-lib | libasound.so.2 | fhs
libpulseaudio | libpulseaudio pulseaudio | libpulse.so.0 libpulse-simple.so.0 libpulse-mainloop-glib.so.0 | fhs
pipewire | pipewire | libpipewire-0.3.so.0 | fhs
libjack2 | jack2 libjack2 pipewire | libjack.so.0 | name
openal | openal-soft | libopenal.so.1 | fhs
portaudio | portaudio | libportaudio.so.2 | name
gtk3 | gtk+3 | libgtk-3.so.0 libgdk-3.so.0 | fhs
gtk2 | gtk+ | libgtk-x11-2.0.so.0 libgdk-x11-2.0.so.0 | fhs
gtk4 | gtk4 | libgtk-4.so.1 | name
glib.out | glib | libglib-2.0.so.0 libgobject-2.0.so.0 libgio-2.0.so.0 libgmodule-2.0.so.0 libgthread-2.0.so.0 | fhs
gdk-pixbuf | gdk-pixbuf | libgdk_pixbuf-2.0.so.0 | fhs
cairo | cairo | libcairo.so.2 libcairo-gobject.so.2 | fhs
pango.out | pango | libpango-1.0.so.0 libpangocairo-1.0.so.0 libpangoft2-1.0.so.0 libpangoxft-1.0.so.0 | fhs
at-spi2-core | at-spi2-core | libatk-1.0.so.0 libatk-bridge-2.0.so.0 libatspi.so.0 | fhs
harfbuzz | harfbuzz | libharfbuzz.so.0 libharfbuzz-subset.so.0 libharfbuzz-gobject.so.0 | name
fribidi | fribidi | libfribidi.so.0 | fhs
graphite2 | graphite2 | libgraphite2.so.3 | name
fontconfig.lib | fontconfig:lib | libfontconfig.so.1 | fhs
freetype | freetype | libfreetype.so.6 | fhs
pixman | pixman | libpixman-1.so.0 | fhs
librsvg | librsvg | librsvg-2.so.2 | name
libnotify | libnotify | libnotify.so.4 | fhs
libsecret | libsecret | libsecret-1.so.0 | name
libdbusmenu-gtk3 | libdbusmenu-gtk3 | libdbusmenu-gtk3.so.4 libdbusmenu-glib.so.4 | fhs
libappindicator-gtk3 | libappindicator-gtk3 | libappindicator3.so.1 | fhs
webkitgtk_4_1 | webkitgtk | libwebkit2gtk-4.1.so.0 libjavascriptcoregtk-4.1.so.0 | alias
libsoup_3 | libsoup | libsoup-3.0.so.0 | alias
gst_all_1.gstreamer | gstreamer | libgstreamer-1.0.so.0 libgstbase-1.0.so.0 | name
gst_all_1.gst-plugins-base | gst-plugins-base | libgstapp-1.0.so.0 libgstvideo-1.0.so.0 libgstaudio-1.0.so.0 libgstpbutils-1.0.so.0 | name
nss | nss | libnss3.so libnssutil3.so libsmime3.so libssl3.so libsoftokn3.so libfreebl3.so | fhs
nspr | nspr | libnspr4.so libplc4.so libplds4.so | fhs
dbus.lib | dbus:lib | libdbus-1.so.3 | fhs
cups.lib | cups:lib | libcups.so.2 | fhs
expat | expat | libexpat.so.1 | fhs
e2fsprogs.out | e2fsprogs | libcom_err.so.2 libext2fs.so.2 libss.so.2 libe2p.so.2 | fhs
krb5.lib | krb5:lib | libgssapi_krb5.so.2 libkrb5.so.3 libk5crypto.so.3 libkrb5support.so.0 libcom_err.so.3 | name
keyutils.lib | keyutils:lib | libkeyutils.so.1 | name
libxcrypt-legacy | libxcrypt | libcrypt.so.1 | alias
libxcrypt | libxcrypt | libcrypt.so.2 | name
libnsl | libnsl | libnsl.so.3 | name
libtirpc | libtirpc | libtirpc.so.3 | name
linux-pam | linux-pam | libpam.so.0 libpam_misc.so.0 | name
libcap.lib | libcap:lib | libcap.so.2 | fhs
libcap_ng | libcap-ng | libcap-ng.so.0 | name
libseccomp.lib | libseccomp:lib | libseccomp.so.2 | name
audit | audit | libaudit.so.1 | name
libselinux | libselinux | libselinux.so.1 | name
ncurses | ncurses | libncurses.so.6 libncursesw.so.6 libtinfo.so.6 libtinfow.so.6 libpanel.so.6 libpanelw.so.6 libmenuw.so.6 libformw.so.6 | name
ncurses5 | ncurses | libncurses.so.5 libncursesw.so.5 libtinfo.so.5 | alias
readline | readline | libreadline.so.8 libhistory.so.8 | name
libedit | libedit | libedit.so.0 | name
libffi | libffi | libffi.so.8 | name
libjpeg.out | libjpeg-turbo | libjpeg.so.62 libjpeg.so.8 libturbojpeg.so.0 | alias
libpng | libpng-apng libpng | libpng16.so.16 | fhs
libpng12 | libpng | libpng12.so.0 | fhs
libtiff.out | libtiff | libtiff.so.6 libtiff.so.5 | fhs
libwebp | libwebp | libwebp.so.7 libwebpdemux.so.2 libwebpmux.so.3 libsharpyuv.so.0 | name
giflib | giflib | libgif.so.7 | name
lcms2 | lcms2 | liblcms2.so.2 | name
openjpeg | openjpeg | libopenjp2.so.7 | name
gmp | gmp | libgmp.so.10 libgmpxx.so.4 | name
mpfr | mpfr | libmpfr.so.6 | name
nettle | nettle | libnettle.so.8 libhogweed.so.6 | name
gnutls.out | gnutls | libgnutls.so.30 | name
libgcrypt.out | libgcrypt | libgcrypt.so.20 | fhs
libgpg-error.out | libgpg-error | libgpg-error.so.0 | fhs
p11-kit.out | p11-kit | libp11-kit.so.0 | name
libtasn1.out | libtasn1 | libtasn1.so.6 | name
libidn2.out | libidn2 | libidn2.so.0 | name
libunistring.out | libunistring | libunistring.so.5 | name
libpsl | libpsl | libpsl.so.5 | name
nghttp2.lib | nghttp2:lib | libnghttp2.so.14 | name
brotli.lib | brotli:lib brotli | libbrotlidec.so.1 libbrotlicommon.so.1 libbrotlienc.so.1 | name
lz4.lib | lz4:lib lz4 | liblz4.so.1 | name
snappy | snappy | libsnappy.so.1 | name
pcre2.out | pcre2 | libpcre2-8.so.0 libpcre2-16.so.0 libpcre2-32.so.0 | name
pcre.out | pcre | libpcre.so.1 libpcrecpp.so.0 | name
sqlite.out | sqlite | libsqlite3.so.0 libsqlite3.so | name
libpq | libpq postgresql:lib | libpq.so.5 | name
mariadb-connector-c | mariadb-connector-c | libmariadb.so.3 | name
unixODBC | unixODBC | libodbc.so.2 libodbcinst.so.2 | name
openldap | openldap | libldap.so.2 liblber.so.2 | name
cyrus_sasl.out | cyrus-sasl | libsasl2.so.3 | name
icu | icu4c | libicuuc.so.* libicui18n.so.* libicudata.so.* libicuio.so.* | name
libxslt.out | libxslt | libxslt.so.1 libexslt.so.0 | name
libyaml | libyaml | libyaml-0.so.2 | name
libevent | libevent | libevent-2.1.so.7 libevent_core-2.1.so.7 | fhs
libuv | libuv | libuv.so.1 | name
zeromq | zeromq | libzmq.so.5 | name
libarchive.lib | libarchive:lib | libarchive.so.13 | name
libelf | elfutils | libelf.so.1 libdw.so.1 | name
libunwind | libunwind | libunwind.so.8 libunwind-x86_64.so.8 | name
numactl | numactl | libnuma.so.1 | name
libusb1 | libusb | libusb-1.0.so.0 | fhs
fuse | fuse | libfuse.so.2 | fhs
fuse3.out | fuse | libfuse3.so.* | name
libpcap.lib | libpcap:lib libpcap | libpcap.so.1 | name
SDL2 | sdl2-compat SDL2 | libSDL2-2.0.so.0 | fhs
SDL | SDL_compat sdl12-compat SDL | libSDL-1.2.so.0 | fhs
SDL2_image | SDL2_image | libSDL2_image-2.0.so.0 | fhs
SDL2_mixer | SDL2_mixer | libSDL2_mixer-2.0.so.0 | fhs
SDL2_ttf | SDL2_ttf | libSDL2_ttf-2.0.so.0 | fhs
libogg | libogg | libogg.so.0 | fhs
libvorbis | libvorbis | libvorbis.so.0 libvorbisfile.so.3 libvorbisenc.so.2 | fhs
flac | flac | libFLAC.so.* | fhs
libopus | libopus | libopus.so.0 | name
libsndfile | libsndfile | libsndfile.so.1 | name
lame.lib | lame:lib lame | libmp3lame.so.0 | name
ffmpeg.lib | ffmpeg:lib ffmpeg-headless:lib | libavcodec.so.* libavformat.so.* libavutil.so.* libswscale.so.* libswresample.so.* libavfilter.so.* libavdevice.so.* | name
x264.lib | x264:lib x264 | libx264.so.* | name
libvpx | libvpx | libvpx.so.* | fhs
dav1d | dav1d | libdav1d.so.* | name
kdePackages.qtbase | qtbase | libQt6Core.so.6 libQt6Gui.so.6 libQt6Widgets.so.6 libQt6Network.so.6 libQt6DBus.so.6 | alias
libsForQt5.qtbase.out | qtbase | libQt5Core.so.5 libQt5Gui.so.5 libQt5Widgets.so.5 libQt5Network.so.5 libQt5DBus.so.5 libQt5PrintSupport.so.5 | alias
onetbb | onetbb tbb | libtbb.so.12 libtbbmalloc.so.2 | name
openblas | openblas | libopenblas.so.0 | name
hdf5 | hdf5 | libhdf5.so.* | name
fftw | fftw-double fftw | libfftw3.so.3 | name
boost | boost | libboost_system.so.* libboost_filesystem.so.* libboost_thread.so.* libboost_program_options.so.* libboost_regex.so.* | name
python3 | python3 | libpython3.so | name
python310 | python3 | libpython3.10.so.1.0 | alias
python311 | python3 | libpython3.11.so.1.0 | alias
python312 | python3 | libpython3.12.so.1.0 | alias
python313 | python3 | libpython3.13.so.1.0 | alias
python314 | python3 | libpython3.14.so.1.0 | alias
tcl | tcl | libtcl8.6.so | name
tk | tk | libtk8.6.so | name
perl | perl | libperl.so.* | name
lua5_4 | lua | liblua.so.5.4 liblua5.4.so.0 | name
file | file | libmagic.so.1 | name
hidapi | hidapi | libhidapi-hidraw.so.0 libhidapi-libusb.so.0 | name
speechd | speech-dispatcher speechd | libspeechd.so.2 | name
gdbm | gdbm | libgdbm.so.6 | name
db | db | libdb-5.3.so | name
jemalloc | jemalloc | libjemalloc.so.2 | name
gperftools | gperftools | libtcmalloc.so.4 libprofiler.so.0 | name
popt | popt | libpopt.so.0 | name
libassuan | libassuan | libassuan.so.* | name
libksba | libksba | libksba.so.8 | name
npth | npth | libnpth.so.0 | name
gpgme | gpgme | libgpgme.so.* | name
libgccjit | libgccjit gcc | libgccjit.so.0 | name
libmpc | libmpc | libmpc.so.3 | name
isl | isl | libisl.so.23 | name
lzo | lzo | liblzo2.so.2 | name
xxHash | xxHash | libxxhash.so.0 | name
libbsd | libbsd | libbsd.so.0 | name
libmd | libmd | libmd.so.0 | name
libaio | libaio | libaio.so.1 | name
liburing | liburing | liburing.so.2 | name
json_c | json-c | libjson-c.so.5 | name
jansson | jansson | libjansson.so.4 | name
json-glib | json-glib | libjson-glib-1.0.so.0 | name
c-ares | c-ares | libcares.so.2 | name
rtmpdump | rtmpdump | librtmp.so.1 | name
protobuf | protobuf | libprotobuf.so.* libprotobuf-lite.so.* libprotoc.so.* | name
re2 | re2 | libre2.so.* | name
double-conversion | double-conversion | libdouble-conversion.so.3 | name
fmt | fmt | libfmt.so.* | name
spdlog | spdlog | libspdlog.so.* | name
yaml-cpp | yaml-cpp | libyaml-cpp.so.* | name
tinyxml-2 | tinyxml-2 | libtinyxml2.so.* | name
pugixml | pugixml | libpugixml.so.1 | name
libzip | libzip | libzip.so.5 | name
minizip | minizip | libminizip.so.1 | name
libftdi1 | libftdi | libftdi1.so.2 | name
libusb-compat-0_1 | libusb-compat | libusb-0.1.so.4 | name
hwloc.lib | hwloc:lib | libhwloc.so.15 | name
libpciaccess | libpciaccess | libpciaccess.so.0 | name
rdma-core | rdma-core | libibverbs.so.1 librdmacm.so.1 | name
openmpi | openmpi | libmpi.so.40 | name
lapack | lapack | liblapack.so.3 | name
blas | blas | libblas.so.3 | name
gsl | gsl | libgsl.so.* libgslcblas.so.0 | name
proj | proj | libproj.so.* | name
geos | geos | libgeos_c.so.1 | name
gdal | gdal | libgdal.so.* | name
oniguruma.lib | oniguruma:lib oniguruma | libonig.so.5 | name
netcdf | netcdf | libnetcdf.so.* | name
poppler | poppler poppler-glib | libpoppler.so.* libpoppler-glib.so.8 libpoppler-cpp.so.* | name
ghostscript | ghostscript | libgs.so.* | name
libexif | libexif | libexif.so.12 | name
exiv2.lib | exiv2:lib | libexiv2.so.* | name
libraw.lib | libraw:lib | libraw.so.* libraw_r.so.* | name
libheif.out | libheif | libheif.so.1 | name
libaom | libaom | libaom.so.3 | name
libde265 | libde265 | libde265.so.0 | name
x265 | x265 | libx265.so.* | name
svt-av1 | svt-av1 | libSvtAv1Enc.so.* | name
libass | libass | libass.so.9 | name
libbluray | libbluray | libbluray.so.2 | name
libtheora | libtheora | libtheora.so.0 libtheoradec.so.1 libtheoraenc.so.1 | name
speex | speex | libspeex.so.1 | name
speexdsp | speexdsp | libspeexdsp.so.1 | name
soxr | soxr | libsoxr.so.0 | name
libsamplerate | libsamplerate | libsamplerate.so.0 | name
mpg123 | mpg123 | libmpg123.so.0 | name
libmad | libmad | libmad.so.0 | name
taglib | taglib | libtag.so.* | name
chromaprint | chromaprint | libchromaprint.so.1 | name
fluidsynth | fluidsynth | libfluidsynth.so.* | name
libmodplug | libmodplug | libmodplug.so.1 | name
SDL2_net | SDL2_net | libSDL2_net-2.0.so.0 | name
SDL2_gfx | SDL2_gfx | libSDL2_gfx-1.0.so.0 | name
sdl3 | sdl3 | libSDL3.so.0 | name
SDL_image | SDL_image | libSDL_image-1.2.so.0 | fhs
SDL_mixer | SDL_mixer | libSDL_mixer-1.2.so.0 | fhs
SDL_ttf | SDL_ttf | libSDL_ttf-2.0.so.0 | fhs
libepoxy | libepoxy | libepoxy.so.0 | name
vte | vte | libvte-2.91.so.0 | name
libhandy | libhandy | libhandy-1.so.0 | name
libadwaita | libadwaita | libadwaita-1.so.0 | name
libgudev | libgudev | libgudev-1.0.so.0 | name
libwnck | libwnck | libwnck-3.so.0 | name
libcanberra | libcanberra | libcanberra.so.0 | name
libcanberra-gtk3 | libcanberra-gtk3 | libcanberra-gtk3.so.0 | name
colord | colord | libcolord.so.2 | name
polkit.out | polkit | libpolkit-gobject-1.so.0 libpolkit-agent-1.so.0 | name
upower | upower | libupower-glib.so.3 | name
networkmanager | networkmanager | libnm.so.0 | fhs
bluez | bluez | libbluetooth.so.3 | name
avahi | avahi | libavahi-client.so.3 libavahi-common.so.3 libavahi-glib.so.1 | name
libnl.out | libnl | libnl-3.so.200 libnl-genl-3.so.200 libnl-route-3.so.200 | name
libmnl | libmnl | libmnl.so.0 | name
lm_sensors | lm-sensors | libsensors.so.5 | name
pciutils | pciutils | libpci.so.3 | name
kmod.lib | kmod:lib kmod | libkmod.so.2 | name
libapparmor | libapparmor | libapparmor.so.1 | name
pcsclite.lib | pcsclite:lib pcsclite-with-polkit:lib | libpcsclite.so.1 | name
libfido2 | libfido2 | libfido2.so.1 | name
webkitgtk_6_0 | webkitgtk | libwebkitgtk-6.0.so.4 libjavascriptcoregtk-6.0.so.1 | alias
gtkmm3 | gtkmm | libgtkmm-3.0.so.1 libgdkmm-3.0.so.1 | name
glibmm | glibmm | libglibmm-2.4.so.1 libgiomm-2.4.so.1 | name
cairomm | cairomm | libcairomm-1.0.so.1 | name
pangomm | pangomm | libpangomm-1.4.so.1 | name
atkmm | atkmm | libatkmm-1.6.so.1 | name
libsigcxx | libsigc++ | libsigc-2.0.so.0 | name
fltk | fltk | libfltk.so.* | name
motif | motif | libXm.so.4 | name
libXv | libXv libxv | libXv.so.1 | name
libXres | libXres libxres | libXRes.so.1 | name
libfontenc | libfontenc | libfontenc.so.1 | name
imlib2 | imlib2 | libImlib2.so.1 | name
guile_3_0 | guile | libguile-3.0.so.1 | name
llvmPackages_14.libllvm.lib | llvm:lib | libLLVM-14.so.1 | name
llvmPackages_15.libllvm.lib | llvm:lib | libLLVM-15.so.1 | name
llvmPackages_16.libllvm.lib | llvm:lib | libLLVM-16.so.1 | name
llvmPackages_17.libllvm.lib | llvm:lib | libLLVM-17.so.1 | name
llvmPackages_18.libllvm.lib | llvm:lib | libLLVM.so.18.1 | name
llvmPackages_19.libllvm.lib | llvm:lib | libLLVM.so.19.1 | name
llvmPackages_20.libllvm.lib | llvm:lib | libLLVM.so.20.1 | name
llvmPackages_21.libllvm.lib | llvm:lib | libLLVM.so.21.1 | name
llvmPackages.libcxx | libcxx | libc++.so.1 libc++abi.so.1 | name
llvmPackages.openmp | openmp | libomp.so libomp.so.5 libiomp5.so | name
z3.lib | z3:lib | libz3.so libz3.so.4 | name
libgit2.lib | libgit2:lib libgit2 | libgit2.so.* | name
enchant | enchant | libenchant-2.so.2 | name
hunspell | hunspell | libhunspell-1.7.so.0 | name
aspell | aspell | libaspell.so.15 | name
libical | libical | libical.so.3 | name
hiredis | hiredis | libhiredis.so.* | name
rdkafka | rdkafka | librdkafka.so.1 | name
leveldb | leveldb | libleveldb.so.1 | name
rocksdb | rocksdb | librocksdb.so.* | name
lmdb.out | lmdb | liblmdb.so liblmdb.so.0 | name
mimalloc | mimalloc | libmimalloc.so.2 | name
libev | libev | libev.so.4 | name
libmicrohttpd | libmicrohttpd | libmicrohttpd.so.12 | name
nghttp3 | nghttp3 | libnghttp3.so.9 | name
libproxy | libproxy | libproxy.so.1 | name
libidn.out | libidn | libidn.so.12 libidn.so.11 | fhs
unbound.lib | unbound:lib | libunbound.so.8 | name
libmaxminddb | libmaxminddb | libmaxminddb.so.0 | name
djvulibre | djvulibre | libdjvulibre.so.21 | name
imath | imath | libImath-3_1.so.29 | name
libjxl | libjxl | libjxl.so.* libjxl_threads.so.* | name
libavif | libavif | libavif.so.* | name
leptonica | leptonica | liblept.so.* libleptonica.so.* | name
tesseract5 | tesseract | libtesseract.so.5 | name
opencv | opencv | libopencv_core.so.* libopencv_imgproc.so.* libopencv_imgcodecs.so.* libopencv_highgui.so.* libopencv_videoio.so.* | name
assimp.lib | assimp:lib assimp | libassimp.so.* | name
freetds | freetds | libsybdb.so.5 libct.so.4 | name
capstone | capstone | libcapstone.so.* | name
unicorn | unicorn | libunicorn.so.2 | name
libvirt | libvirt | libvirt.so.0 | name
libslirp | libslirp | libslirp.so.0 | name
dtc | dtc | libfdt.so.1 | name
libiscsi | libiscsi | libiscsi.so.* | name
libnfs | libnfs | libnfs.so.* | name
libbpf | libbpf | libbpf.so.1 | name
lttng-ust | lttng-ust | liblttng-ust.so.* | name
mpv-unwrapped | mpv | libmpv.so.2 | name
samba | samba | libsmbclient.so.0 libwbclient.so.0 | name
talloc | talloc | libtalloc.so.2 | name
tevent | tevent | libtevent.so.0 | name
tdb | tdb | libtdb.so.1 | name
boehmgc | boehm-gc | libgc.so.1 | name
libtool.lib | libtool:lib | libltdl.so.7 | name
libdaemon | libdaemon | libdaemon.so.0 | name
libinput.out | libinput | libinput.so.10 | name
mtdev | mtdev | libmtdev.so.1 | name
libevdev | libevdev | libevdev.so.2 | name
libwacom | libwacom | libwacom.so.9 | name
libcdio | libcdio | libcdio.so.19 | name
libdvdread | libdvdread | libdvdread.so.8 | name
libdvdnav | libdvdnav | libdvdnav.so.4 | name
libmtp | libmtp | libmtp.so.9 | name
libgphoto2 | libgphoto2 | libgphoto2.so.6 libgphoto2_port.so.12 | name
sane-backends | sane-backends | libsane.so.1 | name
libplist | libplist | libplist-2.0.so.* | name
libimobiledevice | libimobiledevice | libimobiledevice-1.0.so.6 | name
libtorrent-rasterbar | libtorrent-rasterbar | libtorrent-rasterbar.so.* | name
gsasl | gsasl | libgsasl.so.* | name
libconfig | libconfig | libconfig.so.* libconfig++.so.* | name
libpaper | libpaper | libpaper.so.* | name
qhull | qhull | libqhull_r.so.8.0 | name
suitesparse | suitesparse | libcholmod.so.* libumfpack.so.* libamd.so.* libcolamd.so.* | name
arpack | arpack | libarpack.so.2 | name
glpk | glpk | libglpk.so.40 | name
ruby | ruby | libruby.so.* | name
mono | mono | libmonosgen-2.0.so.1 libmono-2.0.so.1 | name
`;
