# A stand-in for nixpkgs: the functions that nix/ calls, each with the arguments it knows and no others. Derivations are
# sets here, and nothing is built; installed.nix builds.
{
  system ? "x86_64-linux",
  # What it has by another name, or not yet, is as in this one.
  release ? "26.05",
}:

let
  lib = import ./lib.nix;
  isBefore = other: builtins.compareVersions release other < 0;
  fake =
    name: more:
    more
    // {
      type = "derivation";
      inherit name;
      outPath = "/nix/store/00000000000000000000000000000000-${name}";
    };

  pkgs = {
    inherit lib;
    stdenv = {
      hostPlatform = {
        inherit system;
      };
      cc.cc.lib = fake "gcc-lib" { };
      # nixpkgs manual, "The Standard Environment"; autoPatchelfHook reads runtimeDependencies.
      mkDerivation =
        {
          pname,
          version,
          src,
          dontUnpack,
          nativeBuildInputs,
          buildInputs ? null,
          runtimeDependencies ? null,
          installPhase,
          meta,
        }@arguments:
        fake "${pname}-${version}" { inherit arguments meta; };
    };
    # nixpkgs, pkgs/build-support/trivial-builders, requireFile: a message or a URL.
    requireFile =
      {
        name,
        hash,
        message,
      }:
      fake name { inherit hash message; };
    autoPatchelfHook = fake "auto-patchelf-hook" { };
    zlib = fake "zlib" { };
    expat = fake "expat" { };
    libpulseaudio = fake "libpulseaudio" { };
    ${if isBefore "25.05" then null else "nodejs_24"} = fake "nodejs-24" { };
    ${if isBefore "26.05" then "squashfsTools" else "squashfs-tools"} = fake "squashfs" { };

    patchelf = fake "patchelf" { };
    # nixpkgs, pkgs/build-support/trivial-builders.
    runCommandCC =
      name:
      { nativeBuildInputs }:
      text:
      fake name { inherit nativeBuildInputs text; };
    # nixpkgs manual, "testers.runNixOSTest"; each machine is a module.
    testers.runNixOSTest =
      {
        name,
        nodes,
        testScript,
      }:
      fake "vm-test-run-${name}" { inherit nodes testScript; };

    # Arguments by name, from pkgs and what is given.
    callPackage =
      file: given:
      let
        package = import file;
      in
      package (builtins.intersectAttrs (builtins.functionArgs package) pkgs // given);

    # nixpkgs manual, "importNpmLock".
    importNpmLock = {
      __functor = _: { npmRoot, packageLock }: fake "npm-deps" { inherit npmRoot packageLock; };
      npmConfigHook = fake "npm-config-hook" { };
    };

    # nixpkgs manual, "buildNpmPackage", and the variables of stdenv.
    buildNpmPackage =
      {
        pname,
        version,
        src,
        nodejs,
        npmDeps,
        npmConfigHook,
        npmRebuildFlags,
        npmPackFlags,
        dontNpmPrune,
        buildPhase,
        hardeningDisable,
        dontStrip,
        dontPatchELF,
        postInstall,
        doInstallCheck,
        installCheckPhase,
        meta,
      }@arguments:
      fake "${pname}-${version}" { inherit arguments meta; };

    # nixpkgs manual, "pkgs.formats": what is JSON of numbers, texts, truths and lists of them is TOML.
    formats.toml =
      { }:
      {
        generate =
          name: value:
          fake name {
            text = builtins.concatStringsSep "" (
              map (key: "${key} = ${builtins.toJSON value.${key}}\n") (builtins.attrNames value)
            );
          };
      };
  };
in
pkgs
