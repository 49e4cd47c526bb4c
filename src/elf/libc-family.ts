// A soname -> whether it belongs to glibc itself, and so must come from the loader's own store object.

/**
 * Everything that one build of glibc installs (Makefiles of glibc 2.31 to 2.42, `extra-libs` and `libnss_*`); they
 * share GLIBC_PRIVATE symbols and data layouts, so two builds cannot be mixed.
 * Not among them: libcrypt.so.1 (libxcrypt in every current distribution), libgcc_s.so.1 (GCC's, glibc's directory
 * has a copy at most), libnsl.so.2 and .3 (the libnsl project), libnss_systemd.so.2, libnss_nis.so.2 and the like.
 */
const members: ReadonlySet<string> = new Set([
  'libBrokenLocale.so.1',
  'libSegFault.so',
  'libanl.so.1',
  'libc.so.6',
  'libc_malloc_debug.so.0',
  'libcidn.so.1',
  'libdl.so.2',
  'libm.so.6',
  'libmemusage.so',
  'libmvec.so.1',
  'libnsl.so.1',
  'libnss_compat.so.2',
  'libnss_db.so.2',
  'libnss_dns.so.2',
  'libnss_files.so.2',
  'libnss_hesiod.so.2',
  'libpcprofile.so',
  'libpthread.so.0',
  'libresolv.so.2',
  'librt.so.1',
  'libthread_db.so.1',
  'libutil.so.1',
]);

/** True for the soname of a library of glibc or of its loader. */
export function isLibcFamily(soname: string): boolean {
  return members.has(soname) || isLoaderName(soname);
}

/** True for the file name of a glibc loader: `ld-linux-x86-64.so.2`, `ld64.so.2`, `ld.so.1` (shlib-versions files). */
export function isLoaderName(name: string): boolean {
  return /^ld(?:64|-linux(?:-[\w-]+)?)?\.so\.\d+$/.test(name);
}
