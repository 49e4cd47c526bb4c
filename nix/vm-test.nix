# nixpkgs → a NixOS in a virtual machine, in which a foreign program starts by its own name, and by what else is enabled.
{
  lib,
  expat,
  runCommandCC,
  patchelf,
  stdenv,
  testers,
  zlib,
}:

let
  interpreterPath =
    {
      x86_64-linux = "/lib64/ld-linux-x86-64.so.2";
      aarch64-linux = "/lib/ld-linux-aarch64.so.1";
    }
    .${stdenv.hostPlatform.system};
  # As another Linux would have built it: the usual interpreter, and libraries by name only.
  foreign = runCommandCC "foreign-program" { nativeBuildInputs = [ patchelf ]; } ''
    cat >program.c <<'END'
    #include <dlfcn.h>
    #include <stdio.h>
    #include <zlib.h>
    int main(int argc, char **argv) {
      printf("zlib %s\n", zlibVersion());
      return argc > 1 && dlopen(argv[1], RTLD_NOW) == NULL;
    }
    END
    mkdir -p $out/bin
    $CC -o $out/bin/foreign-program program.c -I${lib.getDev zlib}/include -L${lib.getLib zlib}/lib -lz
    patchelf --set-interpreter ${interpreterPath} --remove-rpath $out/bin/foreign-program
  '';
  machine = interpreter: {
    imports = [ ./nixos-module.nix ];
    programs.nix-run-foreign = {
      enable = true;
      inherit interpreter;
    };
    # Nothing of the program names them any more, so nothing else brings them.
    system.extraDependencies = map lib.getLib [
      zlib
      expat
    ];
    environment.systemPackages = [ foreign ];
    users.users.tester.isNormalUser = true;
  };
in
testers.runNixOSTest {
  name = "nix-run-foreign";
  nodes = {
    usual = machine "nix-ld";
    itself = machine "self";
    prefix = machine null;
  };
  testScript = ''
    start_all()
    program = "${foreign}/bin/foreign-program"
    for machine in (usual, itself, prefix):
        machine.wait_for_unit("multi-user.target")
        machine.succeed(f"su -l tester -c 'nix-run-foreign {program}' | grep '^zlib '")
        machine.succeed("su -l tester -c 'nix-foreign doctor' | head -1 | grep 'foreign programs start here'")
    for machine in (usual, itself):
        machine.succeed(f"su -l tester -c '{program}' | grep '^zlib '")
        # In no DT_NEEDED, and not in programs.nix-ld.libraries, which come last: found while the program waits.
        machine.succeed(f"su -l tester -c '{program} libexpat.so.1'")
    itself.succeed(f"env -i {program} | grep '^zlib '")
    prefix.fail(f"{program}")
    usual.succeed(f"su -l tester -c 'nix-foreign forget {program}'")
  '';
}
