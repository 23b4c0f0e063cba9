{
  "targets": [
    {
      "target_name": "forelock",
      # One list of sources for this build and for CMakeLists.txt.
      "sources": ["<!@(node -p \"require('fs').readFileSync('native/sources.txt', 'utf8').replace(/#.*/g, '').trim().split(/\\s+/).join(' ')\")"],
      "include_dirs": ["native"],
      "defines": ["NAPI_VERSION=8"],
      "cflags!": ["-O3"],
      "cflags": ["-O2", "-fvisibility=hidden"],
      # Node's own flags turn exceptions and run-time types off; the core reports damage by throwing.
      "cflags_cc!": ["-O3", "-std=gnu++17", "-std=gnu++20", "-fno-rtti", "-fno-exceptions"],
      "cflags_cc": ["-std=c++20", "-fexceptions", "-fvisibility-inlines-hidden", "-Wall", "-Wextra"],
      "conditions": [
        # Compare-and-swap of 16 bytes (core/atomic_pair.h), which every x86-64 processor since 2006 has.
        ["target_arch=='x64'", {"cflags_cc": ["-mcx16"]}]
      ],
      # The prebuilt file must load where the system's C++ library is older than the compiler's, and keep its copy to itself:
      # left visible, its symbols would be bound to those of Node's own. libgcc stays shared, because Node itself needs it
      # and a static one asks for glibc 2.35.
      "ldflags": ["-static-libstdc++", "-Wl,--version-script=<(module_root_dir)/native/exports.map", "-Wl,--gc-sections"]
    }
  ]
}
