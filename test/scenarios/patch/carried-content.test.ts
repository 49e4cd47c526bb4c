// Programs of Go, OCaml, SBCL and Deno, which patchelf breaks → patched by the command they run as before, and go back.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { compile } from '../compile.ts';
import { openVendorRoot, uid } from './vendor-root.ts';

needTool('go', 'golang-go');
needTool('ocamlc', 'ocaml-nox');
needTool('sbcl', 'sbcl');

const scratch = mkdtempSync(path.join(tmpdir(), 'carried-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const vendor = await openVendorRoot('small');
const at = (name: string): string => path.join(vendor.dir, name);

function build(command: string, args: readonly string[]): void {
  const env = {
    PATH: process.env['PATH'],
    HOME: scratch,
    GOCACHE: path.join(scratch, 'go'),
    GO111MODULE: 'off',
  };
  execFileSync(command, args, { cwd: scratch, env, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** net and os/user ask glibc, so the program is dynamic without another linker than Go's own. */
const GO = `package main
import ("fmt"; "net"; "os/user")
func main() {
	_, err := user.LookupId("987654")
	address, _ := net.ResolveIPAddr("ip4", "127.0.0.1")
	fmt.Println("go", err, address)
}
`;

/**
 * Deno before version 2 reads the last bytes of its file: a mark, then where the module and what describes it begin,
 * counted from the start of the file.
 */
const DENO = `#include <stdio.h>
#include <string.h>
#include <stdint.h>
#include <endian.h>
int main(void) {
  uint64_t place[2]; char mark[8], text[64] = {0};
  FILE *self = fopen("/proc/self/exe", "r");
  fseek(self, -24, SEEK_END);
  if (fread(mark, 1, 8, self) != 8 || memcmp(mark, "d3n0l4nd", 8) != 0) return puts("not standalone"), 1;
  if (fread(place, 8, 2, self) != 2) return 2;
  fseek(self, be64toh(place[0]), SEEK_SET);
  fread(text, 1, be64toh(place[1]) - be64toh(place[0]), self);
  return puts(text) < 0;
}`;

function denoLike(): void {
  const file = compile(path.join(scratch, 'deno'), DENO);
  const start = statSync(file).size;
  const content = Buffer.from('console.log("standalone")');
  const trailer = Buffer.alloc(24);
  trailer.write('d3n0l4nd');
  trailer.writeBigUInt64BE(BigInt(start), 8);
  trailer.writeBigUInt64BE(BigInt(start + content.length), 16);
  appendFileSync(file, Buffer.concat([content, trailer]));
}

interface Input {
  readonly name: string;
  readonly file: string;
  readonly said: RegExp;
  make(): void;
}

const inputs: readonly Input[] = [
  { name: 'a program of deno compile before version 2', file: 'deno', said: /^console\.log/, make: denoLike },
  {
    name: "a Go program by Go's own linker",
    file: 'go-own',
    said: /^go user: unknown userid 987654 127\.0\.0\.1$/m,
    make: () => {
      writeFileSync(path.join(scratch, 'main.go'), GO);
      build('go', ['build', '-o', 'go-own', 'main.go']);
    },
  },
  {
    name: 'the same without symbols, which leaves bytes that nothing describes',
    file: 'go-bare',
    said: /^go user: unknown userid 987654 127\.0\.0\.1$/m,
    make: () => build('go', ['build', '-ldflags=-s -w', '-o', 'go-bare', 'main.go']),
  },
  {
    name: 'a Go program by the external linker',
    file: 'go-external',
    said: /^go user: unknown userid 987654 127\.0\.0\.1$/m,
    make: () => build('go', ['build', '-ldflags=-linkmode=external', '-o', 'go-external', 'main.go']),
  },
  {
    name: 'bytecode behind the run-time of OCaml',
    file: 'ocaml',
    said: /^42$/m,
    make: () => {
      writeFileSync(path.join(scratch, 'a.ml'), 'let () = print_endline (string_of_int (6 * 7))');
      build('ocamlc', ['-custom', '-o', 'ocaml', 'a.ml']);
    },
  },
  {
    name: 'a saved core of SBCL',
    file: 'sbcl',
    said: /^42 ?$/m,
    make: () => {
      const save =
        '(save-lisp-and-die "sbcl" :executable t :toplevel (lambda () (print (* 6 7)) (terpri) (exit)))';
      build('sbcl', ['--non-interactive', '--no-sysinit', '--no-userinit', '--eval', save]);
    },
  },
];

const sha = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

for (const { name, file, said, make } of inputs)
  test(`${name}: it runs once it is patched, and is undone byte for byte`, async (t) => {
    make();
    const copy = vendor.put(path.join(scratch, file));
    chownSync(copy, uid, uid);
    const first = sha(copy);
    const inRoot = `/vendor/${file}`;
    assert.equal((await vendor.root.bare(inRoot)).status, 127);
    const { status, stderr, stdout } = await vendor.root.manage(['patch', '-y', inRoot]);
    assert.equal(status, 0, stderr);
    t.diagnostic(stdout.split('\n')[0] ?? '');
    const ran = await vendor.root.bare(inRoot, [], { env: {} });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, said);
    const again = await vendor.root.manage(['patch', '-y', inRoot]);
    assert.match(again.stdout, /nothing is to be done/);
    assert.equal((await vendor.root.manage(['unpatch', inRoot])).status, 0);
    assert.equal(sha(at(file)), first);
  });
