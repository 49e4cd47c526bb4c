# The variables of a derivation → what nixpkgs' buildNpmPackage would have built, as far as nix/package.nix asks for it.
# A stand-in: the host's tools and node_modules instead of stdenv's and of importNpmLock's.
export HOME=$TMPDIR
runHook() { :; }
cp -r "$src" source
chmod -R u+w source
cd source
ln -s "$nodeModules" node_modules
eval "$buildPhase"

package=$out/lib/node_modules/$pname
mkdir -p "$package" "$out/bin"
tar -xzf "$(node "$npmScript" pack --silent $npmPackFlags)" -C "$package" --strip-components=1

# nixpkgs makes each command by makeWrapper, with the Node of the package.
node -p 'Object.entries(require("./package.json").bin).map((each) => each.join(" ")).join("\n")' >commands
while read -r name file; do
  printf '#!%s\nexec %s/bin/node %s/%s "$@"\n' "$shell" "$nodejs" "$package" "$file" >"$out/bin/$name"
  chmod +x "$out/bin/$name"
done <commands
eval "$postInstall"
eval "$installCheckPhase"
