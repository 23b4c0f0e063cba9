{
  "targets": [
    {
      "target_name": "floors",
      "sources": ["addon/floors.cc", "addon/words.cc", "addon/lines.cc", "addon/ring.cc", "addon/file_locks.cc"],
      "defines": ["NAPI_VERSION=8"],
      "cflags!": ["-O3"],
      "cflags": ["-O2", "-fvisibility=hidden"],
      "cflags_cc!": ["-O3", "-std=gnu++17", "-std=gnu++20", "-fno-exceptions"],
      "cflags_cc": ["-std=c++20", "-fexceptions", "-Wall", "-Wextra"]
    }
  ]
}
