# Shared by the start scripts: finds a JDK 25, builds what changed, starts Java.

fail() {
  printf '%s: %s\n' "$program" "$1" >&2
  exit 1
}

# The first JDK 25 among JAVA_HOME, the usual folders and the PATH.
find_jdk() {
  local candidate java
  for candidate in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/jdk* /opt/java/* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* \
    "${HOME:-/nonexistent}"/.jdks/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    is_jdk25 "$candidate" && { printf '%s\n' "$candidate"; return 0; }
  done
  java=$(command -v java || true)
  if [ -n "$java" ]; then
    candidate=$(dirname "$(dirname "$(readlink -f "$java")")")
    is_jdk25 "$candidate" && { printf '%s\n' "$candidate"; return 0; }
  fi
  return 1
}

is_jdk25() {
  [ -n "$1" ] && [ -x "$1/bin/java" ] && grep -qs '^JAVA_VERSION="25["._+-]' "$1/release"
}

# The program is current while its stamp is newer than every source it was made from, and than
# its jars: Maven run by hand makes new ones, for which the cache is not valid. Flags stand in this file.
is_current() {
  local stamp=$1 module=$2
  [ -f "$stamp" ] && [ -f "$home/$module/target/.classpath" ] || return 1
  [ -z "$(find "$home"/pom.xml "$home/bin/launch.sh" "$home"/*/pom.xml "$home"/{storage,engine,resilience,embeddings,server,cli}/src/main \
    "$home/$module"/target/contextd-*.jar "$home/$module"/target/lib -newer "$stamp" -print -quit 2>/dev/null)" ]
}

build() {
  local module=$1 stamp=$2 jdk=$3 log="$home/$1/target/build.log"
  command -v mvn >/dev/null || fail "building needs Maven; install it (Debian: apt-get install maven) and try again"
  mkdir -p "$home/$module/target"
  printf '%s: building, once; this takes a minute or two ...\n' "$program" >&2
  # Maven's own progress, a line a module; the whole log is kept for when it fails.
  if ! (cd "$home" && mvn -B -ntp -Dmaven.test.skip=true -pl "$module" -am package 2>&1 | tee "$log" \
    | sed -un "s/^\[INFO\] Building \(contextd [a-z]*\) .*\[\(.*\)\]/$program:   \1 (\2)/p" >&2; exit "${PIPESTATUS[0]}"); then
    grep -m 5 '^\[ERROR\]' "$log" >&2 || true
    fail "the build failed; the whole log is in $log"
  fi
  train "$module" "$jdk"
  touch "$stamp"
  printf '%s: built\n' "$program" >&2
}

launch() {
  program=$1
  local main=$2 module=$3
  shift 3
  local target="$home/$module/target" stamp="$home/$module/target/.built" jdk
  jdk=$(find_jdk) || fail "no JDK 25 found; install one (for example Temurin 25) below /usr/lib/jvm, or set JAVA_HOME to it"
  if ! is_current "$stamp" "$module"; then
    mkdir -p "$target"
    # Two starts at once must not build into each other.
    exec 9>"$target/.build.lock"
    flock 9
    is_current "$stamp" "$module" || build "$module" "$stamp" "$jdk"
    exec 9>&-
  fi
  # File names are bytes of UTF-8, whatever the caller's locale says.
  export LC_ALL=C.UTF-8
  java_flags "$module"
  [ -f "$target/program.aot" ] && flags=(-XX:AOTCache="$target/program.aot" "${flags[@]}")
  exec "$jdk/bin/java" "${flags[@]}" "$main" "$@"
}

# What our own programs have and one that embeds the store need not; the benchmarks run with them too. The module for SIMD is loaded when
# it is needed (SimdModule): with --add-modules here the AOT cache would hold half of what it does. Java may collect garbage for a fifth of
# the time, 1 / (1 + 4), not a thirteenth, before it takes more memory: memory that nobody has touched before costs more than that.
program_flags=(--add-exports java.base/jdk.internal.module=ALL-UNNAMED -XX:GCTimeRatio=4)

# The flags of every run; an AOT cache trained under others would be silently useless.
java_flags() {
  local target="$home/$1/target"
  flags=("${program_flags[@]}" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
    -Xlog:disable -Xlog:all=error:stderr -cp "$(cat "$target/.classpath")")
}

# Writes the class path in a fixed order: a cache is only valid for the very same one.
write_classpath() {
  local target="$home/$1/target"
  find "$target" -maxdepth 1 -name "contextd-$1-*.jar" | sort | head -1 >"$target/.classpath.new"
  find "$target/lib" -name '*.jar' | sort >>"$target/.classpath.new"
  paste -sd: "$target/.classpath.new" | tr -d '\n' >"$target/.classpath"
  rm -f "$target/.classpath.new"
}

# Runs the program once over an empty store, so that Java keeps what it learned about starting it.
# A start without the cache is slower and otherwise the same, so a failure here fails nothing.
train() {
  local target="$home/$1/target" jdk=$2
  rm -f "$target/program.aot"
  write_classpath "$1"
  java_flags "$1"
  "$jdk/bin/java" "${flags[@]}" -Dcontextd.simd=false -XX:AOTCacheOutput="$target/program.aot" "dev.contextd.$1.Training" \
    >>"$target/build.log" 2>&1 || rm -f "$target/program.aot"
}
