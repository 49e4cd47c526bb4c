// A request → the state of glibc's loader while it loads objects.
import { libraryPathDirectories } from '../../elf/run-path.ts';
import { type LinkMap, makeLinkMap, originOf } from './link-map.ts';
import { type Errno, isAtLeast, type SimulationRequest } from './request.ts';
import type { LoaderError, LoaderWarning } from './trace.ts';

export interface GlibcState {
  readonly request: SimulationRequest;
  /** The namespace's list of objects (l_next); a filter of the program's may stand before the program. */
  readonly chain: LinkMap[];
  readonly program: LinkMap;
  readonly loader: LinkMap;
  readonly libraryPath: readonly string[];
  /** What is left to be tried of each directory that was searched: r_search_path_elem. */
  readonly folders: Map<string, readonly Folder[]>;
  /** The variable of that name, which the search looks at; undefined for 0. */
  errno: Errno | undefined;
  readonly errors: LoaderError[];
  readonly warnings: LoaderWarning[];
}

/** A directory, or one of its hwcaps subdirectories. */
export interface Folder {
  /** Up to the file's name. */
  readonly start: string;
  readonly hwcaps: string | undefined;
  /** r_dir_status; undefined for unknown. */
  state: 'existing' | 'nonexisting' | undefined;
}

/** dl_main (elf/rtld.c) for `ld.so PROGRAM`, up to where it starts to load. */
export function openGlibcState(request: SimulationRequest): GlibcState {
  const { loader, libraryPath } = request;
  const { lib, platform } = loader.settings;
  const program = programMap(request);
  const itself = loaderMap(request);
  return {
    request,
    chain: [program, itself],
    program,
    loader: itself,
    libraryPath: libraryPathDirectories(libraryPath, { origin: program.origin, lib, platform }),
    folders: new Map(),
    errno: undefined,
    errors: [],
    warnings: [],
  };
}

/** Before 2.42 the path is taken as it was given (BZ 25263). */
function programMap({ program, loader, files }: SimulationRequest): LinkMap {
  const resolved = isAtLeast(loader.settings, 2, 42) ? (program.realPath ?? program.path) : program.path;
  return makeLinkMap({
    role: 'program',
    elf: program.elf,
    path: program.path,
    mapName: '',
    names: [program.path],
    identity: undefined,
    loadedBy: undefined,
    origin: originOf(resolved, files.workingDirectory),
    found: { by: 'program' },
    hwcaps: undefined,
    tried: [],
  });
}

/** rtld_setup_main_map: it answers to the program's PT_INTERP, to its soname, and to the path it was run by. */
function loaderMap({ program, loader }: SimulationRequest): LinkMap {
  const { soname } = loader.elf;
  const first = program.elf.interpreter ?? loader.path;
  return makeLinkMap({
    role: 'loader',
    elf: loader.elf,
    path: loader.path,
    mapName: loader.path,
    names: soname === undefined || soname === first ? [first] : [first, soname],
    identity: undefined,
    loadedBy: undefined,
    origin: undefined,
    found: { by: 'interpreter' },
    hwcaps: undefined,
    tried: [],
  });
}
