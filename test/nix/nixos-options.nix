# The options of NixOS that the module sets, with the types that nixos/modules has for them.
{ lib, ... }:

let
  inherit (lib) mkOption types;
  option = type: default: mkOption { inherit type default; };
  text = option types.lines "";
in
{
  # config/stub-ld.nix
  config.environment.ldso32 = lib.mkDefault "/nix/store/22222222222222222222222222222222-stub-ld";

  options = {
    assertions = option (types.listOf types.anything) [ ];
    # config/ldso.nix
    environment.ldso = option (types.nullOr types.path) null;
    environment.ldso32 = option (types.nullOr types.path) null;
    # config/system-path.nix
    environment.systemPackages = option (types.listOf types.package) [ ];
    # config/system-environment.nix
    environment.sessionVariables = option (types.attrsOf types.str) { };
    # config/shells-environment.nix
    environment.extraInit = text;
    # system/etc/etc.nix
    environment.etc = option (types.attrsOf (
      types.submodule { options.source = mkOption { type = types.path; }; }
    )) { };
    # programs/nix-ld.nix
    programs.nix-ld.enable = option types.bool false;
    # programs/{bash/bash,zsh/zsh,fish}.nix
    programs.bash.interactiveShellInit = text;
    programs.zsh.interactiveShellInit = text;
    programs.fish.interactiveShellInit = text;
    # system/boot/systemd/tmpfiles.nix
    systemd.tmpfiles.rules = option (types.listOf types.str) [ ];
    # system/boot/binfmt.nix
    boot.binfmt.registrations = option (types.attrsOf (
      types.submodule {
        options = {
          recognitionType = option (types.enum [
            "magic"
            "extension"
          ]) "magic";
          offset = option (types.nullOr types.int) null;
          magicOrExtension = mkOption { type = types.str; };
          mask = option (types.nullOr types.str) null;
          interpreter = mkOption { type = types.path; };
          preserveArgvZero = option types.bool false;
          openBinary = option types.bool false;
          matchCredentials = option types.bool false;
          fixBinary = option types.bool false;
          wrapInterpreterInShell = option types.bool true;
        };
      }
    )) { };
  };
}
