// OpenJDK's ProcessBuilder, which starts lib/jspawnhelper, and that the program: by one prefix both start.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { cases, giveHome, openViewRoot, putScript, putVendor, vendor } from './view-root.ts';

const rig = await ensureRig('full');
const jdk = '/usr/lib/jvm/java-17-openjdk-amd64';
needTool(path.join(jdk, 'bin/javac'), 'openjdk-17-jdk-headless');
const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-java-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
chmodSync(scratch, 0o755);

/** `Starts PROGRAM ARGS`: with a child of its own, then the JVM itself again, by the path that it knows of itself. */
const SOURCE = `
class Starts {
  static void start(String... words) throws Exception {
    System.out.flush();
    int status = new ProcessBuilder(words).inheritIO().start().waitFor();
    if (status != 0) System.out.println(words[0] + " ended with " + status);
  }
  public static void main(String[] words) throws Exception {
    System.out.println(System.getProperty("jdk.lang.Process.launchMechanism", "by default"));
    try { start(words); } catch (java.io.IOException error) { System.out.println("no child: " + error.getMessage()); }
    String java = ProcessHandle.current().info().command().get();
    System.out.println(java);
    try { start(java, "-Xint", "-version"); } catch (java.io.IOException error) { System.out.println("no JVM"); }
  }
}`;

// Debian's has links to /etc, which the root does not have.
for (const part of ['bin/java', 'conf', 'lib'])
  cpSync(path.join(jdk, part), path.join(scratch, part), {
    recursive: true,
    dereference: true,
    filter: (file) => !/src\.zip|ct\.sym|cacerts/.test(file),
  });
writeFileSync(path.join(scratch, 'Starts.java'), SOURCE);
execFileSync(path.join(jdk, 'bin/javac'), ['-d', scratch, path.join(scratch, 'Starts.java')]);

const java = '/opt/jdk/bin/java';
const words = (mechanism: string) => [
  java,
  `-Djdk.lang.Process.launchMechanism=${mechanism}`,
  ...['-cp', '/opt/jdk', 'Starts', vendor.program, 'report'],
];

for (const { interpreter, uid } of cases) {
  const binds = [{ from: scratch, to: '/opt/jdk', mode: 'read-only' }] as const;
  const root = await openViewRoot(rig, { interpreter, uid, binds });
  const named = `interpreter ${interpreter}, user ${uid}`;
  putVendor(root);
  // What Gradle's and Maven's wrappers are.
  const wrapper = putScript(
    root,
    '/home/tester/gradlew',
    `#!/bin/bash\nexec ${words('POSIX_SPAWN').join(' ')}\n`,
  );
  giveHome(root, uid);

  test(`${named}: by the loader no helper starts`, async () => {
    const { stdout } = await root.start(['--strategy', 'loader', ...words('POSIX_SPAWN')]);
    assert.match(stdout, /^no child: /m);
    assert.match(stdout, /ld-linux/);
    assert.equal((await root.manage(['resolve', '--strategy', 'auto', java])).status, 0);
  });

  for (const mechanism of ['POSIX_SPAWN', 'VFORK', 'FORK'])
    test(`${named}: ${mechanism}`, async () => {
      const { stdout, stderr, status } = await root.start(words(mechanism), { timeoutMs: 120_000 });
      assert.equal(status, 0, stderr);
      assert.match(
        stdout,
        new RegExp(`^${mechanism}\n(?:.*\n)*exe ${vendor.program}\n(?:.*\n)*${java}\n`),
        stderr,
      );
      assert.match(stdout, /^zlib 1$/m);
      assert.match(stderr, /^OpenJDK 64-Bit Server VM/m);
      assert.doesNotMatch(stdout, /no child|no JVM|ended with/);
    });

  test(`${named}: a script that starts it, and its hit`, async () => {
    assert.notEqual((await root.bare(rig.bash, [wrapper])).status, 0);
    for (const start of [root.start, root.startHit])
      assert.match((await start([wrapper])).stdout, new RegExp(`exe ${vendor.program}\n(?:.*\n)*${java}\n`));
  });
}
