// The kernel's refusal to start a program → cause and remedy, in the words of the launcher (launcher/exec.c).
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { readScriptLine, SCRIPT_LINE_SIZE, type ScriptLine } from '../../elf/script-line.ts';
import { ForeignError, reasonOf } from '../../host/errors.ts';

/** Clauses of messages.c for what reasonOf does not know. */
const CLAUSES: Readonly<Record<string, string>> = {
  ENOEXEC: 'exec format error',
  ENOMEM: 'out of memory',
  ETXTBSY: 'it is open for writing',
  ENAMETOOLONG: 'file name too long',
  ESTALE: 'stale file handle',
};

type FailedScript = Extract<ScriptLine, { kind: 'script' }>;

interface StartFailure {
  readonly cause: string;
  readonly hint: string;
}

function clauseOf(errno: string): string {
  const known = CLAUSES[errno];
  if (known !== undefined) return known;
  const reason = reasonOf(Object.assign(new Error(errno), { code: errno }));
  return reason === errno ? `the kernel refused it (${errno})` : reason;
}

function headOf(file: string): Uint8Array {
  const head = Buffer.alloc(SCRIPT_LINE_SIZE);
  try {
    const fd = openSync(file, 'r');
    try {
      return head.subarray(0, readSync(fd, head));
    } finally {
      closeSync(fd);
    }
  } catch {
    return head.subarray(0, 0);
  }
}

/** The interpreter is there, so it is its own one that is missing. */
function foreignInterpreter(script: string, line: FailedScript): StartFailure {
  const { interpreter, argument } = line;
  const isScript = readScriptLine(headOf(interpreter)).kind === 'script';
  const what = isScript ? 'a script without its interpreter' : 'a program for another Linux';
  const command = [interpreter, ...(argument ? [argument] : []), script].join(' ');
  return {
    cause: `its #! line names ${interpreter}, which is ${what} itself`,
    hint: `start it with: nix-run-foreign ${command}`,
  };
}

/** `name`: the interpreter's, without its directory. */
function remedyOfMissing(name: string): string {
  return `put one of its name on PATH, or: nix-foreign shim add PROGRAM --as ${name}`;
}

/** ENOENT for a file that is there is about the other file that its first bytes name. */
function interpreterMissing(program: string): StartFailure {
  const line = readScriptLine(headOf(program));
  if (line.kind !== 'script') {
    const cause = 'the program interpreter (loader) that it names is not there';
    return { cause, hint: `resolve it again: nix-run-foreign --refresh ${program}` };
  }
  if (existsSync(line.interpreter)) return foreignInterpreter(program, line);
  return {
    cause: `its #! line names an interpreter that is not there: ${line.interpreter}`,
    hint: line.interpreter.endsWith('\r')
      ? 'the line ends in a carriage return: give the file Unix line ends'
      : remedyOfMissing(path.posix.basename(line.interpreter)),
  };
}

function failureOf(program: string, errno: string): StartFailure {
  switch (errno) {
    case 'ENOENT':
      return interpreterMissing(program);
    case 'ENOEXEC': {
      const hint = 'if it is a script without a #! line, start it with its interpreter';
      return { cause: 'the kernel does not know its format', hint };
    }
    case 'EACCES': {
      const hint = "check its modes, its #! line's interpreter and a noexec mount";
      return { cause: 'it may not be executed', hint };
    }
    case 'ELIBBAD': {
      const hint = `see what is started and how: nix-run-foreign --explain ${program}`;
      return { cause: 'the program interpreter (loader) that it names is none for this machine', hint };
    }
    case 'E2BIG': {
      const hint = 'shorten them, or raise the stack limit (ulimit -s)';
      return { cause: 'its arguments and environment are longer than the kernel takes', hint };
    }
    default: {
      const hint = `see what is started and how: nix-run-foreign --explain ${program}`;
      return { cause: `it cannot be started: ${clauseOf(errno)}`, hint };
    }
  }
}

/**
 * `program`: the path by which it was found; `file`: what was executed, another one where a plan starts its loader;
 * `errno`: such as `ENOENT`.
 */
export function startFailure(program: string, file: string, errno: string): ForeignError {
  const isLoader = file !== program && errno !== 'E2BIG';
  const { cause, hint } = isLoader
    ? {
        cause: `the loader of its plan cannot be started: ${clauseOf(errno)}`,
        hint: `resolve it again: nix-run-foreign --refresh ${program}`,
      }
    : failureOf(program, errno);
  const what = isLoader ? file : program;
  return new ForeignError(`${what}: ${cause}`, { code: 'cannot-start', hint, exitCode: 126 });
}
