# What the modules for NixOS and home-manager have in common: options, and the text of files and hooks.
{ lib, pkgs }:

let
  inherit (lib) mkOption types;
in
{
  options = {
    enable = lib.mkEnableOption "nix-run-foreign, which starts programs built for another Linux";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package to use.";
    };

    settings = mkOption {
      type = types.submodule { options = import ./settings.nix { inherit lib pkgs; }; };
      default = { };
      example = {
        sources = [ "https://example.org/fingerprints" ];
        trusted-fingerprint-keys = [ "example-1:..." ];
      };
      description = "What stands in config.toml; `nix-foreign config` shows what holds. Null: as the tool has it.";
    };

    wrappedCommands = mkOption {
      type = types.listOf (types.strMatching "[A-Za-z0-9_.+-]+");
      default = [ ];
      example = [
        "python3"
        "node"
      ];
      description = ''
        Commands of Nix that shells with the hook start through the launcher, so that foreign wheels and addons which
        they load find their libraries.
      '';
    };

    strategy = mkOption {
      type = types.nullOr (
        types.enum [
          "loader"
          "nix-ld"
          "interpreter"
          "namespace"
          "patched"
          "view"
        ]
      );
      default = null;
      example = "view";
      description = ''
        How programs are started, where it is possible and `--strategy` was not said for one; `view` gives each start a file
        system in which its children start too. Null: as suits each program.
      '';
    };

    shims = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the commands that `nix-foreign shim add` makes are on PATH, in front of all others.";
    };
  };

  # The file for these settings; null where nothing is set.
  configFile =
    settings:
    let
      set = lib.filterAttrs (_: value: value != null) settings;
    in
    if set == { } then null else (pkgs.formats.toml { }).generate "nix-run-foreign.toml" set;

  # The line for each shell's own file, as in the README.
  hookLine =
    { package, wrappedCommands, ... }:
    let
      words =
        if wrappedCommands == [ ] then "" else " --wrap ${builtins.concatStringsSep "," wrappedCommands}";
    in
    {
      bash = ''eval "$(${package}/bin/nix-foreign hook bash${words})"'';
      zsh = ''eval "$(${package}/bin/nix-foreign hook zsh${words})"'';
      fish = "${package}/bin/nix-foreign hook fish${words} | source";
    };

  # For sessions; read when a plan is made.
  strategyVariable =
    { strategy, ... }: lib.optionalAttrs (strategy != null) { NIX_RUN_FOREIGN_STRATEGY = strategy; };

  # The launcher for 32-bit programs of x86, which the package has beside the other.
  launcher32 = package: "${package}/lib/node_modules/nix-run-foreign/dist/i686-linux/nix-run-foreign";

  # nix-ld's variable for this machine, which it reads before NIX_LD, and whose value it enters as the loader.
  nixLd = package: {
    "NIX_LD_${lib.replaceStrings [ "-" ] [ "_" ] pkgs.stdenv.hostPlatform.system}" =
      "${package}/bin/nix-run-foreign";
  };
}
