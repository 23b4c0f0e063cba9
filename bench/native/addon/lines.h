#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "napi.h"

namespace floors {

// A cache line for each key, in a file that other processes could map.
class Lines {
 public:
  // Null, with errno, where there is no such memory.
  static std::unique_ptr<Lines> make(const std::string& path, std::uint32_t count);
  ~Lines();
  void touch(const char* key, std::size_t length);

 private:
  struct alignas(64) Line {
    std::atomic<std::uint64_t> word;
  };
  Lines(Line* lines, std::uint64_t count) : lines_(lines), count_(count) {}

  Line* lines_;
  std::uint64_t count_;
};

napi_value make_lines(napi_env env, napi_callback_info info);
napi_value touch_line(napi_env env, napi_callback_info info);

}  // namespace floors
