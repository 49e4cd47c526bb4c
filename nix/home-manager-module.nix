# programs.nix-run-foreign for home-manager: for one user, and on systems that are not NixOS.
{
  config,
  lib,
  options,
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
  configFile = parts.configFile cfg.settings;
  hookLine = parts.hookLine cfg;
  integration =
    shell:
    mkOption {
      type = types.bool;
      default = true;
      description = "Whether ${shell} gets the hook by which foreign programs run by their own names.";
    };
in
{
  options.programs.nix-run-foreign = parts.options // {
    enableBashIntegration = integration "bash";
    enableZshIntegration = integration "zsh";
    enableFishIntegration = integration "fish";

    nixLd = mkOption {
      type = types.bool;
      default = false;
      description = "Whether nix-ld, where the system has it, is told to enter the launcher.";
    };
  };

  config = mkIf cfg.enable (mkMerge [
    { home.packages = [ cfg.package ]; }

    (mkIf (configFile != null) {
      xdg.configFile."nix-run-foreign/config.toml".source = configFile;
    })

    (mkIf (cfg.strategy != null) { home.sessionVariables = parts.strategyVariable cfg; })

    (mkIf cfg.nixLd { home.sessionVariables = parts.nixLd cfg.package; })

    # Not by home.sessionPath, which puts it behind all others.
    (mkIf cfg.shims {
      home.sessionVariablesExtra = ''
        export PATH="${config.xdg.dataHome}/nix-run-foreign/shims:$PATH"
      '';
    })

    (mkIf cfg.enableBashIntegration { programs.bash.initExtra = lib.mkAfter hookLine.bash; })

    (mkIf cfg.enableZshIntegration {
      programs.zsh =
        # Its name before home-manager 25.05.
        if options.programs.zsh ? initContent then
          { initContent = lib.mkAfter hookLine.zsh; }
        else
          { initExtra = lib.mkAfter hookLine.zsh; };
    })

    (mkIf cfg.enableFishIntegration { programs.fish.interactiveShellInit = lib.mkAfter hookLine.fish; })
  ]);
}
