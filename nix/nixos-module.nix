# programs.nix-run-foreign for NixOS.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib)
    mkIf
    mkMerge
    mkOption
    types
    ;
  cfg = config.programs.nix-run-foreign;
  parts = import ./module-parts.nix { inherit lib pkgs; };
  launcher = "${cfg.package}/bin/nix-run-foreign";
  configFile = parts.configFile cfg.settings;
  hookLine = parts.hookLine cfg;
  launcher32 = parts.launcher32 cfg.package;

  # What `nix-foreign resolve --system` writes for everybody; trusted where only root can write it.
  systemPlace = [
    ""
    "/v1"
    "/v1/farms"
    "/v1/plans"
    "/state"
    "/state/v1"
    "/state/v1/fingerprints"
    "/state/v1/roots"
  ];

  rules = (lib.importJSON ./binfmt-rules.json).${pkgs.stdenv.hostPlatform.system} or [ ];
in
{
  options.programs.nix-run-foreign = parts.options // {
    interpreter = mkOption {
      type = types.nullOr (
        types.enum [
          "nix-ld"
          "self"
        ]
      );
      default = "nix-ld";
      description = ''
        Who sits at the path that foreign programs name as their interpreter: nix-ld, which is told to enter the
        launcher; the launcher itself (`environment.ldso`); with null nothing of this, and programs start by prefix,
        shim or shell hook. With nix-ld and an empty environment, as below sudo, programs get nix-ld's own libraries.
      '';
    };

    shellHooks = mkOption {
      type = types.bool;
      default = cfg.interpreter == null;
      defaultText = lib.literalExpression "config.programs.nix-run-foreign.interpreter == null";
      description = ''
        Whether interactive shells get the hook by which foreign programs run by their own names. It needs some
        100 ms when a shell starts.
      '';
    };

    support32Bit = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether 32-bit programs of x86 start as 64-bit ones do, by the launcher itself (`environment.ldso32`), or by a
        nix-ld for them that the configuration puts there. Where `interpreter` is null, nothing is put there.
      '';
    };

    binfmt = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether the kernel hands foreign programs and AppImages to the launcher (binfmt_misc). They then see ld.so as
        /proc/self/exe; `interpreter` keeps more.
      '';
    };

    appImages = mkOption {
      type = types.bool;
      default = true;
      description = "Whether unsquashfs is installed, which unpacks AppImages.";
    };
  };

  config = mkIf cfg.enable (mkMerge [
    {
      environment.systemPackages = [
        cfg.package
      ]
      # Its name since 26.05, and before.
      ++ lib.optional cfg.appImages (pkgs.squashfs-tools or pkgs.squashfsTools);
      systemd.tmpfiles.rules = map (
        directory: "d /var/lib/nix-run-foreign${directory} 0755 root root -"
      ) systemPlace;
    }

    (mkIf (cfg.strategy != null) { environment.sessionVariables = parts.strategyVariable cfg; })

    (mkIf (configFile != null) {
      environment.etc."nix-run-foreign/config.toml".source = configFile;
    })

    (mkIf (cfg.interpreter == "nix-ld") {
      programs.nix-ld.enable = true;
      environment.sessionVariables = parts.nixLd cfg.package;
    })

    (mkIf (cfg.support32Bit && cfg.interpreter == "nix-ld") {
      environment.sessionVariables.NIX_LD_i686_linux = launcher32;
      # nixpkgs' nix-ld is for 64-bit programs only: before NixOS' stub (mkDefault), after what the configuration says.
      environment.ldso32 = lib.mkOverride 900 launcher32;
    })

    (mkIf (cfg.support32Bit && cfg.interpreter == "self") { environment.ldso32 = launcher32; })

    (mkIf (cfg.interpreter == "self") {
      environment.ldso = launcher;
      assertions = [
        {
          assertion = !config.programs.nix-ld.enable;
          message = ''
            programs.nix-run-foreign.interpreter = "self" and programs.nix-ld.enable want the same place: turn nix-ld
            off, or set programs.nix-run-foreign.interpreter = "nix-ld".
          '';
        }
      ];
    })

    (mkIf cfg.shims {
      environment.extraInit = ''
        export PATH="''${XDG_DATA_HOME:-$HOME/.local/share}/nix-run-foreign/shims:$PATH"
      '';
    })

    (mkIf cfg.shellHooks {
      programs.bash.interactiveShellInit = lib.mkAfter hookLine.bash;
      programs.zsh.interactiveShellInit = lib.mkAfter hookLine.zsh;
      programs.fish.interactiveShellInit = lib.mkAfter hookLine.fish;
    })

    (mkIf cfg.binfmt {
      boot.binfmt.registrations = lib.listToAttrs (
        map (
          { name, magic, mask }:
          {
            inherit name;
            value = {
              recognitionType = "magic";
              offset = 0;
              magicOrExtension = magic;
              inherit mask;
              interpreter = launcher;
              preserveArgvZero = true;
              # Opened once, so that it is found in every root directory.
              fixBinary = true;
              wrapInterpreterInShell = false;
            };
          }
        ) rules
      );
    })
  ]);
}
