// A program, its loader and a library path → what would be loaded, as the loader says it or the simulation of it.
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { isTrustedWay } from '../host/trusted-way.ts';
import type { Libc } from '../program/libc.ts';
import type { PlainNames } from '../program/needed-paths.ts';
import {
  allComplaints,
  askLoader,
  closestComplaints,
  type ListOutput,
  type ListRequest,
} from './ask-loader.ts';

/** Who says what would be loaded. The simulation runs nothing. */
export type Verdict = 'loader' | 'simulation';

/** Who asks, and whether the program is started afterwards. */
interface Asker {
  readonly uid: number;
  readonly isStart?: boolean | undefined;
}

/**
 * A loader runs the audit modules that a program names, in `--list` too (glibc elf/rtld.c, load_auditors), and it is
 * not made for hostile files. So who only asks has the simulation where the program names such modules, or where
 * somebody else could have written it. glibc heeds DT_AUDIT and DT_DEPAUDIT of the program only, musl heeds neither.
 */
export function verdictFor(
  { path, elf, libc }: { readonly path: string; readonly elf: ElfFile; readonly libc: Libc },
  { uid, isStart }: Asker,
): Verdict {
  if (isStart === true) return 'loader';
  const runsAuditors = libc.kind === 'glibc' && elf.audit.length > 0;
  return runsAuditors || !isTrustedWay(path, uid) ? 'simulation' : 'loader';
}

/** Also asks for the symbols that sets with `closest` matches (needed names) would miss: the simulation binds none. */
export async function listObjects(
  request: ListRequest,
  libc: Libc,
  verdict: Verdict,
  closest: ReadonlySet<string> = new Set(),
): Promise<ListOutput> {
  if (verdict === 'simulation') return await listBySimulation(request, libc);
  const { objects, complaints } = askLoader(request);
  return { objects, complaints: [...complaints, ...closestComplaints(request, objects, closest)] };
}

/**
 * Of a program that needs libraries by paths where nothing is, as it is when these lead to the plain names: the loader
 * is asked with them opened beside it, the simulation says in which order they come. `elf`: with the plain names.
 */
export async function listWithPlainNames(
  request: ListRequest,
  libc: Libc,
  verdict: Verdict,
  { elf, plainNames }: { readonly elf: ElfFile; readonly plainNames: PlainNames },
): Promise<ListOutput> {
  const { loader, libraryPath, program, opened = [] } = request;
  const { simulateStart } = await import('./simulate-start.ts');
  const { complaintsOf, simulatedObjects } = await import('./trace-text.ts');
  const asOpened = { ...elf, needed: [...elf.needed, ...opened] };
  const trace = simulateStart({ path: program, elf: asOpened }, libc, loader, libraryPath);
  const objects = simulatedObjects(trace, libc.kind).map(({ name, path }) => ({ name, path }));
  const said = verdict === 'loader' ? complaintsBesidePaths(request, plainNames) : [];
  return { objects, complaints: [...new Set([...said, ...complaintsOf(trace)])] };
}

function complaintsBesidePaths(request: ListRequest, plainNames: PlainNames): string[] {
  const opened = [...new Set([...plainNames.values(), ...(request.opened ?? [])])];
  const paths = [...plainNames.keys()];
  return allComplaints({ ...request, opened }).filter(
    (complaint) => !paths.some((each) => complaint.includes(each)),
  );
}

async function listBySimulation(request: ListRequest, libc: Libc): Promise<ListOutput> {
  const { loader, libraryPath, program, opened = [] } = request;
  const elf = elfFileAt(program);
  if (elf === undefined) return { objects: [], complaints: [`${program} is no ELF file`] };
  // Loaded when it is needed: an ordinary first start asks the loader alone.
  const { simulateStart } = await import('./simulate-start.ts');
  const { complaintsOf, simulatedObjects } = await import('./trace-text.ts');
  const asOpened = { ...elf, needed: [...elf.needed, ...opened] };
  const trace = simulateStart({ path: program, elf: asOpened }, libc, loader, libraryPath);
  const objects = simulatedObjects(trace, libc.kind).map(({ name, path }) => ({ name, path }));
  return { objects, complaints: complaintsOf(trace) };
}
