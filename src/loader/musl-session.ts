// A request → the state that musl's loader keeps while it loads objects, and its records of them.
import type { ElfFile } from '../elf/elf-file.ts';
import type {
  AlreadyLoaded,
  Attempt,
  Finding,
  LoaderError,
  ObjectRequest,
  RequestKind,
  Searched,
} from './load-trace.ts';
import type { Errno } from './loader-files.ts';
import type { SimulationRequest } from './loader-request.ts';

/** struct dso (musl ldso/dynlink.c), as far as the search for libraries reads it. */
export interface Dso {
  readonly role: 'program' | 'loader' | 'library';
  readonly elf: ElfFile;
  /** As opened. */
  readonly name: string;
  readonly requestedAs: string;
  /** The last component of `name`, once a search has found the object; what later requests are compared with. */
  shortName: string | undefined;
  /** The program and the loader have none. */
  readonly identity: string | undefined;
  readonly neededBy: Dso | undefined;
  readonly found: Finding;
  readonly tried: readonly Attempt[];
  readonly requests: ObjectRequest[];
}

export interface MuslSession {
  readonly request: SimulationRequest;
  /** Without the loader until something needs it. */
  readonly chain: Dso[];
  readonly program: Dso;
  readonly loader: Dso;
  errno: MuslErrno;
  /** Of the last request: where it was looked for, and what was passed over. */
  lastSearch: { readonly searched: readonly Searched[]; readonly tried: readonly Attempt[] };
  readonly errors: LoaderError[];
}

export type MuslErrno = Errno | 'ENOEXEC';

export function openMuslSession(request: SimulationRequest): MuslSession {
  const { program, loader } = request;
  const nobody = { shortName: undefined, identity: undefined, neededBy: undefined, tried: [] } as const;
  const self: Dso = {
    ...nobody,
    role: 'program',
    elf: program.elf,
    name: program.path,
    requestedAs: program.path,
    found: { by: 'program' },
    requests: [],
  };
  // With --list the loader goes by the program's PT_INTERP, as it would if the kernel had started the program.
  const name = program.elf.interpreter ?? loader.path;
  const itself: Dso = {
    ...nobody,
    role: 'loader',
    elf: loader.elf,
    name,
    requestedAs: name,
    found: { by: 'interpreter' },
    requests: [],
  };
  const lastSearch = { searched: [], tried: [] };
  return { request, chain: [self], program: self, loader: itself, errno: 'ENOENT', lastSearch, errors: [] };
}

/** Notes that `dso` answered a request. Preloads are asked for by nobody, which counts as by the program. */
export function noteRequest(
  session: MuslSession,
  dso: Dso,
  { name, from, kind }: { readonly name: string; readonly from: Dso | undefined; readonly kind: RequestKind },
  how: 'opened' | AlreadyLoaded,
): Dso {
  dso.requests.push({ name, from: (from ?? session.program).name, kind, how });
  return dso;
}
