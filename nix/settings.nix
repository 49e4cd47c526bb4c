# lib and pkgs → the options for config.toml (docs/settings.md). What is null is left out of the file, so that it is
# as the tool, or a file below this one, has it.
{ lib, pkgs }:

let
  inherit (lib) mkOption types;
  key =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };
in
{
  sources = key (types.listOf types.str) ''
    Absolute directories and http(s) URLs that are asked for a program's fingerprint at a first start, the
    preferred first.
  '';
  trusted-fingerprint-keys = key (types.listOf types.str) ''
    Public keys, name:base64, by one of which a fingerprint of a source, or an exported index, must be signed.
  '';
  strict = key types.bool ''
    Fail where a fingerprint is there and cannot be used, or a source cannot be asked, instead of searching the
    store.
  '';
  source-timeout = key (types.addCheck (types.numbers.between 0 300) (seconds: seconds > 0)) ''
    Seconds until a source counts as unreachable.
  '';
  driver-directories = key (types.listOf types.str) ''
    Directories of the running graphics driver, searched last, never pinned.
  '';
  substitute = key types.bool ''
    Let Nix fetch missing store paths from the substituters of this machine.
  '';
  index =
    key
      (types.either (types.enum [
        "auto"
        "off"
      ]) (types.listOf types.str))
      ''
        File indexes for libraries that the store lacks: auto (that of nix-index), off, or absolute paths. Where the
        overlay of nix-index-database is, its index.
      ''
    // {
      default = if pkgs ? nix-index-database then [ "${pkgs.nix-index-database}" ] else null;
    };
  fetch = key
    (types.enum [
      "ask"
      "always"
      "never"
    ])
    ''
      Whether libraries that an index or a fingerprint names are fetched: ask (above fetch-limit), always, never.
    '';
  fetch-limit = key (types.numbers.between 0 1000000) ''
    MiB that are downloaded for one program without a question.
  '';
  index-age = key (types.numbers.between 0 10000) ''
    Days until the age of a file index is told, where it is used; 0: never.
  '';
}
